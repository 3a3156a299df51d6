"""What a running process tells about itself: whether it lives, whether it is ready, and figures for Prometheus."""
