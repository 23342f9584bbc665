"""Options of a figure of gates: what each feature reaches alone, and its weight among all."""

from typing import Literal

from pydantic import Field, model_validator

from emonas.options import Options
from emonas.report.options import Published, check_unit

GatesPanel = Literal["ua", "gates"]
Bars = dict[str, dict[str, Published]]


class GatesOptions(Options):
    """A figure of gates (Multi-gating NAS, figure 4): the UA of each feature alone beside the mean
    weight that a gating network gives it, by domain.
    """

    kind: Literal["gates"] = Field(description="what kind of figure this is")
    title: str = Field("", description="the heading; the figure's name where it is empty")
    source: str = Field(
        "", description="the paper and figure, such as 'Multi-gating NAS, figure 4'"
    )
    system: str = Field(
        description="the system whose gates are shown; of multi-gating they weigh what the "
        "connections make of all features, named by the feature that it stands for"
    )
    protocol: str = Field(
        description="the protocol of its run, and of the systems of one feature in the domains "
        "that `protocols` does not name"
    )
    single: dict[str, str] = Field(
        min_length=1, description="systems that hear one feature each, by that feature"
    )
    protocols: dict[str, str] = Field(
        default_factory=dict,
        description="protocols of one domain alone, by that domain, under which the systems of "
        "one feature are run instead",
    )
    published: dict[GatesPanel, Bars] | Literal["not in our copy"] = Field(
        default_factory=dict,
        description="what the paper prints: `ua` and `gates` by domain and feature, as fractions; "
        "'not in our copy' for all where our copy of the paper lacks the figures",
    )
    notes: tuple[str, ...] = Field(
        (), description="readings of the paper and differences of protocol that touch this figure"
    )

    @model_validator(mode="after")
    def _has_the_right_units(self) -> "GatesOptions":
        printed = {} if isinstance(self.published, str) else self.published
        for panel, domains in printed.items():
            for domain, values in domains.items():
                for feature, value in values.items():
                    check_unit(f"published.{panel}.{domain}.{feature}", "ua", value)
        return self

    def bars(self) -> list[Bars]:
        """What the paper prints, by domain and feature, a panel after the other."""
        return [] if isinstance(self.published, str) else list(self.published.values())

    def printed(self, panel: GatesPanel, domain: str, feature: str) -> Published | None:
        """What the paper prints at a bar; none where it has no such bar."""
        if isinstance(self.published, str):
            return self.published
        return self.published.get(panel, {}).get(domain, {}).get(feature)
