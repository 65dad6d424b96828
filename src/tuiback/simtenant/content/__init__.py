"""Makes the company's people, mail and files out of a seed, each piece only when it is asked for."""
