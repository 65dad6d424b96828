"""A group of verbs whose help says of each what it does in a whole sentence, wrapped and never cut."""

import click

# The longest first sentence has some hundred characters.
_WHOLE = 1_000


class WholeGroup(click.Group):
    """As click's, but for the list of its verbs."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Tell what each verb does."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(_WHOLE)) for name, one in commands if one])
