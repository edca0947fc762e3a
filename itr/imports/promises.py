"""The service level and calendar a request counts by: the house level, or those it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from itr.catalogue.models import ServiceLevel
from itr.catalogue.operations import current_terms, house_terms
from itr.catalogue.rules import ServiceTerms
from itr.errors import DomainError
from itr.imports.errors import CannotImport, bad_line
from itr.imports.lines import About
from itr.imports.mapping import Document
from itr.people.models import Organisation
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import CalendarInForce
from itr.sla.models import Calendar


@dataclass
class Promises:
    """Terms by the name of their level, calendars by theirs, as they stand now."""

    house: ServiceTerms
    levels: Mapping[str, ServiceTerms]
    named_calendars: Mapping[str, UUID]
    calendars: Mapping[UUID, CalendarInForce]
    opted_out: Mapping[UUID, Mapping[UUID, CalendarInForce]] = field(default_factory=dict)

    @classmethod
    async def read(cls, document: Document) -> "Promises":
        """Read what the mapping may name. Raises CannotImport without a house level."""
        try:
            house = await house_terms()
        except DomainError as error:
            raise CannotImport(error.message("zh"), error.message("en")) from None
        levels, calendars = dict[str, ServiceTerms](), dict[str, UUID]()
        if document.level is not None:
            levels = {
                each.name: await current_terms(each.id)
                for each in await ServiceLevel.filter(active=True)
            }
        if document.calendar is not None:
            calendars = {each.name: each.id for each in await Calendar.filter(base_id=None)}
        ids = {house.calendar_id, *calendars.values()}
        ids.update(terms.calendar_id for terms in levels.values())
        found = await Organisation.filter(make_up_days=False)
        return cls(
            house=house,
            levels=levels,
            named_calendars=calendars,
            calendars=await calendars_in_force(ids, None),
            opted_out={each.id: await calendars_in_force(ids, each.id) for each in found},
        )

    def terms_of(self, about: About) -> ServiceTerms:
        """The terms a request counts by. Raises DomainError for a name that is not here."""
        terms = self.house
        if about.level:
            if about.level not in self.levels:
                raise bad_line("没有此服务级别", "there is no such service level", about.level)
            terms = self.levels[about.level]
        if about.calendar:
            if about.calendar not in self.named_calendars:
                raise bad_line("没有此日历", "there is no such calendar", about.calendar)
            terms = replace(terms, calendar_id=self.named_calendars[about.calendar])
        return terms

    def calendars_for(self, customer_id: UUID) -> Mapping[UUID, CalendarInForce]:
        """The calendars as they count for a customer (R-CAL-03)."""
        return self.opted_out.get(customer_id, self.calendars)
