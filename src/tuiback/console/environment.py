"""Sets what Textual reads from the environment when it is imported."""

import os


def prepare_environment(*, slow: bool) -> None:
    """Choose animations and frame rate for the line this terminal hangs on; what the user has set stays.

    Scroll animations cost tens of kilobytes a key over SSH, so they are only for a local terminal.
    """
    remote = slow or "SSH_CONNECTION" in os.environ
    if remote:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if slow:
        os.environ.setdefault("TEXTUAL_FPS", "15")
