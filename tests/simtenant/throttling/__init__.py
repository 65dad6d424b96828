"""The throttle counts and refuses as published."""
