"""Holds the plans of groups: buckets of tasks that people work on together."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS
from tuiback.simtenant.content.prose import subject
from tuiback.simtenant.content.words import LANGUAGES
from tuiback.simtenant.state.groups import Group, Groups

_BUCKETS = ("To do", "In progress", "Done")
_TASKS = 6
_ID_BYTES = 21


@dataclass(slots=True, eq=False)
class PlannerTask:
    """One task; `told` is what was said of it, and `details` what is told apart, by the names on the wire."""

    mark: str
    bucket: str
    title: str
    created: datetime
    author: int
    told: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    completed: datetime | None = None
    version: int = 1
    details_version: int = 1


@dataclass(slots=True, eq=False)
class PlannerBucket:
    """A column of a plan."""

    mark: str
    name: str
    version: int = 1


@dataclass(slots=True, eq=False)
class PlannerPlan:
    """One plan of a group."""

    mark: str
    group: Group
    title: str
    created: datetime
    author: int
    buckets: dict[str, PlannerBucket] = field(default_factory=dict)
    tasks: dict[str, PlannerTask] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    details_version: int = 1


class Planner:
    """All plans of the tenant; those of a group are drawn when somebody asks for them."""

    def __init__(self, chance: Chance, groups: Groups) -> None:
        self._chance = chance
        self._groups = groups
        self._made = 0
        self._drawn: dict[int, dict[str, PlannerPlan]] = {}

    def of_group(self, group: Group) -> dict[str, PlannerPlan]:
        """The plans of a group by id; a group made later begins without."""
        if group.serial not in self._drawn:
            plan = self._draw(group)
            self._drawn[group.serial] = {plan.mark: plan}
        return self._drawn[group.serial]

    def all(self) -> Iterator[PlannerPlan]:
        """Every plan of every group that is there."""
        for group in self._groups.present():
            if group.is_unified:
                yield from self.of_group(group).values()

    def add_plan(self, group: Group, title: str, now: datetime, author: int) -> PlannerPlan:
        """A new plan without buckets."""
        plan = PlannerPlan(self._mark(group.serial), group, title, now, author)
        self.of_group(group)[plan.mark] = plan
        return plan

    def add_bucket(self, plan: PlannerPlan, name: str) -> PlannerBucket:
        """A new bucket without tasks."""
        bucket = PlannerBucket(self._mark(plan.group.serial), name)
        plan.buckets[bucket.mark] = bucket
        return bucket

    def add_task(self, plan: PlannerPlan, bucket: str, title: str, now: datetime, author: int) -> PlannerTask:
        """A new task in the bucket with this id."""
        task = PlannerTask(self._mark(plan.group.serial), bucket, title, now, author)
        plan.tasks[task.mark] = task
        return task

    def _mark(self, serial: int, *key: int) -> str:
        if not key:
            self._made += 1
            key = (-self._made,)
        return urlsafe_b64encode(self._chance.digest(_ID_BYTES, "planner", serial, *key)).decode()

    def _draw(self, group: Group) -> PlannerPlan:
        chance, people = self._chance, [index for kind, index in group.members if kind == "user"] or [0]
        start = COMPANY_STARTS + timedelta(days=30)
        plan = PlannerPlan(self._mark(group.serial, 0), group, f"{group.name} plan", start, people[0])
        for number, name in enumerate(_BUCKETS, 1):
            bucket = PlannerBucket(self._mark(group.serial, number), name)
            plan.buckets[bucket.mark] = bucket
        marks = list(plan.buckets)
        for number in range(_TASKS):
            author, place = people[number % len(people)], number % len(marks)
            title = subject(chance, chance.pick(LANGUAGES, "plan", group.serial), "task", group.serial, number)
            created = start + timedelta(days=number)
            task = PlannerTask(self._mark(group.serial, 10 + number), marks[place], title, created, author)
            task.told = {"percentComplete": (0, 50, 100)[place], "priority": (1, 3, 5, 9)[number % 4]}
            task.completed = created + timedelta(days=3) if task.told["percentComplete"] == 100 else None
            if number % 2:
                task.details = {"description": title}
            plan.tasks[task.mark] = task
        return plan
