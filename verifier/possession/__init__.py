"""What leads from the firm's books to a review of possession or control, and what people do about a deficit.

Pure functions on dataclasses. The review itself is in `exports.possession`, where an auditor can compute it again.
"""
