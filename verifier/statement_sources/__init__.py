"""Where custodians' statements are pulled from: sources by entry point, and what is done with what they give."""
