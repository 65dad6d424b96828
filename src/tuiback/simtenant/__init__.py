"""A simulated Microsoft 365 tenant on loopback, with a generated company in it or a customer's own files.

It shares no code with the client and proves nothing about the real service.
"""

from tuiback.simtenant.plan import Endpoints, Plan
from tuiback.simtenant.server import Server, run

serve = run

__all__ = ["Endpoints", "Plan", "Server", "run", "serve"]
