"""How the sign-in service says no."""


class SignInFault(Exception):
    """A refusal: https://learn.microsoft.com/entra/identity-platform/reference-error-codes."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.error = error
        self.number = number
        self.text = text
