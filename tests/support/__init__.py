"""What tests of several folders share, beside the fixtures of conftest."""
