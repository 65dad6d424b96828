"""Everything by which the engine calls for somebody: alerts, the messages about them, digests and pings."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from tuiback.catalog import AlertBook
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.asking import current_asker
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.commands import AckAlert
from tuiback.engine.home import Home, alerts_path
from tuiback.engine.settings.channels import Channels
from tuiback.engine.settings.registry import Registry
from tuiback.engine.signalling import notify
from tuiback.engine.signalling.alerts import Severity
from tuiback.engine.signalling.board import Board
from tuiback.engine.signalling.digests import queue_digests
from tuiback.engine.signalling.heartbeat import Heartbeat
from tuiback.engine.signalling.messenger import Messenger
from tuiback.engine.signalling.watching import Watch, alert_status
from tuiback.errors import TuibackError
from tuiback.model import AlertStatus, Clock, EngineStatus

LOOK_SECONDS = 5.0
# An engine that ends gives its last messages so long; what remains waits for the next one.
LAST_WORDS_SECONDS = 30.0


class Signals:
    """Made by open(); start() sets it to work until close(). Of a `resident` engine, its being alive is news too."""

    def __init__(
        self, book: AlertBook, watch: Watch, channels: Channels, dispatcher: Dispatcher, activity: Activity,
        clock: Clock, *, resident: bool,
    ) -> None:  # fmt: skip
        self._book = book
        self._watch = watch
        self._channels = channels
        self._dispatcher = dispatcher
        self._activity = activity
        self._clock = clock
        self._resident = resident
        self._heart = Heartbeat(channels, self._is_well, notify.ping, activity, clock)
        self._messenger = Messenger(channels, book, notify.deliver, activity, clock)
        self._watch.on_news = self._messenger.look
        self._working = False
        self._beginning: asyncio.Task[None] | None = None
        self._failing: dict[str, str] = {}
        self._work: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls, home: Home, archives: Mapping[str, Archive], registry: Registry, dispatcher: Dispatcher,
        activity: Activity, clock: Clock, *, resident: bool,
    ) -> "Signals":  # fmt: skip
        """The signals of the home. Raises EnvironmentFault, FormatTooNew, Damage."""
        channels = Channels(home.path)
        book = await asyncio.to_thread(AlertBook.open, alerts_path(home))
        watch = Watch(archives, registry, dispatcher.faults, book, channels, activity, clock)
        return cls(book, watch, channels, dispatcher, activity, clock, resident=resident)

    @property
    def alerts(self) -> tuple[AlertStatus, ...]:
        """Those open at the last look."""
        return tuple(alert_status(row) for row in self._watch.alerts)

    def start(self, picture: Callable[[], EngineStatus | None]) -> None:
        """Look, deliver and ping from now on."""
        self._dispatcher.on_begin = self._begin
        work = [self._look_on(picture), self._guarded("messages", self._messenger.run)]
        if self._resident:
            work.append(self._guarded("pings", self._heart_beats))
        self._work = [asyncio.ensure_future(each) for each in work]

    async def ack(self, command: AckAlert) -> dict[str, object]:
        """Somebody knows of it. Raises NoSuchThing."""
        who = current_asker().who
        await asyncio.to_thread(self._book.ack, command.alert, self._clock.now(), who, command.reason)
        self._watch.alerts = await asyncio.to_thread(self._book.alerts)
        return {"name": command.alert}

    async def refuse(self, repository: str, error: TuibackError) -> None:
        """The engine can't start because of this repository: say so to whoever listens."""
        with contextlib.suppress(TuibackError):  # the caller tells the error itself
            await self._watch.note_unreachable(repository, error.what)
            await self._say_last_words(beat=True)

    async def close(self, board: Board) -> None:
        """Look once more where a start() was, say the last words, and let go."""
        for work in self._work:
            work.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self._beginning is not None:
            await asyncio.gather(self._beginning, return_exceptions=True)
        try:
            with contextlib.suppress(TuibackError):  # the next engine finds it again
                if self._work:
                    await self._last_look(await board.repaint())
        finally:
            await asyncio.to_thread(self._book.close)

    def _begin(self) -> None:
        """Runs have begun. Told by them and not by a look: a run may end before the next one."""
        if not self._working:
            self._working = True
            if not self._resident:
                self._beginning = asyncio.ensure_future(self._heart.begin())

    async def _last_look(self, picture: EngineStatus) -> None:
        self._watch.forget()
        await self._watch.look(picture)
        await self._say_last_words(beat=self._working and not self._resident)

    async def _say_last_words(self, *, beat: bool) -> None:
        words = [self._messenger.finish(LAST_WORDS_SECONDS)]
        if beat:
            words.append(self._heart.end())
        await asyncio.gather(*words)

    async def _look_on(self, picture: Callable[[], EngineStatus | None]) -> None:
        while True:
            seen = picture()
            if seen is not None:
                await self._guarded("alerts", partial(self._look, seen))
            await self._clock.sleep(LOOK_SECONDS)

    async def _look(self, picture: EngineStatus) -> None:
        await self._watch.look(picture)
        if self._resident:
            await asyncio.to_thread(queue_digests, self._channels, self._book, picture)

    async def _heart_beats(self) -> None:
        await self._heart.begin()
        await self._heart.run()

    async def _guarded(self, what: str, do: Callable[[], Awaitable[None]]) -> None:
        """Signals that fail must not end the engine, nor stay silent: each reason is told once."""
        while True:
            try:
                await do()
            except TuibackError as error:
                if self._failing.get(what) != str(error):
                    self._activity.add("error", what, str(error))
                self._failing[what] = str(error)
            else:
                return
            await self._clock.sleep(LOOK_SECONDS)

    def _is_well(self) -> bool:
        return not any(row.severity == Severity.CRITICAL and row.acked_at is None for row in self._watch.alerts)
