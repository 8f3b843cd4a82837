"""What one path hands back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from tests.reference import accounts
from tests.reference.state import World
from tests.reference.structures import StructureOutcome, run_structure


@dataclass
class MarketOutcome:
    """Series of months 1..H."""

    tightness: list[float]
    price_deviation: list[float]
    demand: list[float]
    addressable_demand: list[float]
    capacity: list[float]
    captive: list[float]
    memory_state: list[int]
    memory_cost_factor: list[float]
    generation_steps: list[float]
    high_yield: list[float]  # bp
    sofr: list[float]
    power: list[float]  # W
    stress: list[float]
    market_open: list[bool]
    utilisation: list[float]
    contract_price: dict[str, list[float]]
    spot_price: dict[str, list[float]]
    dev: dict[str, list[float]]
    overhang: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class AssetOutcome:
    due: float
    delivered: int  # 0 = never (or before t0)
    accepted: int | None
    statuses: list[str] = field(default_factory=list)
    received: list[float] = field(default_factory=list)  # invoices
    invoice_due: list[float] = field(default_factory=list)
    merchant: list[float] = field(default_factory=list)
    cash: list[float] = field(default_factory=list)  # invoices, merchant revenue, arrears
    price: list[float] = field(default_factory=list)


@dataclass
class TrancheOutcome:
    default_month: int
    loss_pv: float
    loss_nominal: float
    exposure_at_default: float
    drawn_pv: float
    balances: list[float]
    receipts: list[float]
    draws: list[float]
    coupons: list[float]
    opening: float  # claim(0)
    late_draws: list[float]  # at the end of months
    accrued: list[float]  # beside the balance
    discounts: list[float]  # D


@dataclass
class BoxOutcome:
    months: list[dict[str, float]]  # element 0 is month 1
    default_month: int
    trigger: int  # 0 = none, 1-7 as in the model
    cause: str
    closed_month: int
    sale_month: int
    repaid_month: int
    in_0: float
    in_start: list[float]
    in_end: list[float]
    out: list[float]
    terminal_value: float
    pnl: float
    contributions: float  # present value
    moic: float
    flows: list[float]
    waivers: int


@dataclass
class SponsorOutcome:
    default_month: int
    retained: float
    pnl: float
    payout_rate: float
    cash: list[float]
    raised: list[float]


@dataclass
class FacilityOutcome:
    default_month: int
    loss_pv: float
    loss_nominal: float
    exposure_at_default: float
    drawn_pv: float
    book_loss: float  # Σ lender_share·loss_pv


@dataclass
class Outcome:
    market: MarketOutcome
    name_default_month: dict[str, int]
    name_integrated_month: dict[str, int]
    name_threshold: dict[str, float]
    name_notch: dict[str, list[float]]  # of months 1..H; NaN = unrated
    assets: dict[str, AssetOutcome]
    boxes: dict[str, BoxOutcome]
    tranches: dict[str, TrancheOutcome]
    sponsors: dict[str, SponsorOutcome]
    facilities: dict[str, FacilityOutcome]
    structures: dict[str, StructureOutcome]

    @classmethod
    def empty(cls, world: World) -> Outcome:
        m = world.market
        market = MarketOutcome(
            tightness=m.x,
            price_deviation=m.q,
            demand=m.L,
            addressable_demand=m.L_addressable,
            capacity=m.K,
            captive=m.captive,
            memory_state=m.memory_state,
            memory_cost_factor=m.c,
            generation_steps=m.steps,
            high_yield=m.hy,
            sofr=m.sofr,
            power=m.W,
            stress=m.stress,
            market_open=m.market_open,
            utilisation=m.market_utilisation,
            contract_price=m.contract_price,
            spot_price=m.spot_price,
            dev=m.dev,
            overhang={g.name: [] for g in m.generations},
        )
        assets = {a.id: AssetOutcome(0.0, 0, None) for a in world.assets}
        notches: dict[str, list[float]] = {name: [] for name in world.names}
        return cls(market, {}, {}, {}, notches, assets, {}, {}, {}, {}, {})

    def record_month(self, world: World, t: int) -> None:
        for one in world.names.values():
            self.name_notch[one.terms.id].append(one.notch)
        for asset in world.assets:
            record = self.assets[asset.id]
            record.statuses.append(asset.status.value)
            record.received.append(asset.received)
            record.invoice_due.append(asset.invoice_due)
            record.merchant.append(asset.merchant)
            record.cash.append(asset.received + asset.merchant + asset.arrears_received)
            record.price.append(asset.price)
        for name, overhang in world.market.overhang.items():
            self.market.overhang[name].append(overhang)


def collect_outcome(world: World, outcome: Outcome) -> None:
    drop_month_0(outcome.market)
    for name in world.names.values():
        outcome.name_default_month[name.terms.id] = name.default_month
        outcome.name_integrated_month[name.terms.id] = name.integrated_month
        outcome.name_threshold[name.terms.id] = name.threshold
    for asset in world.assets:
        record = outcome.assets[asset.id]
        record.due = asset.due
        record.delivered = asset.delivered or 0
        record.accepted = asset.accepted
    tranches = {tranche.terms.id: tranche for tranche in world.tranches()}
    for structure in world.inputs.book.structures:
        outcome.structures[structure.id] = run_structure(structure, tranches, world.inputs.horizon)
    for tranche in tranches.values():
        result = outcome.tranches[tranche.terms.id] = TrancheOutcome(
            tranche.default_month,
            accounts.loss_pv(tranche),
            accounts.loss_nominal(tranche),
            tranche.exposure_at_default,
            tranche.drawn_pv,
            tranche.balances,
            tranche.receipts_by_month,
            tranche.draws_by_month,
            tranche.coupons,
            tranche.opening,
            tranche.late_draws,
            tranche.accrued_by_month,
            tranche.discounts,
        )
        facility = outcome.facilities.setdefault(
            tranche.terms.facility, FacilityOutcome(0, 0.0, 0.0, 0.0, 0.0, 0.0)
        )
        facility.default_month = tranche.default_month
        facility.loss_pv += result.loss_pv
        facility.loss_nominal += result.loss_nominal
        facility.exposure_at_default += result.exposure_at_default
        facility.drawn_pv += result.drawn_pv
        facility.book_loss += tranche.terms.lender_share * result.loss_pv
    for box in world.boxes:
        profit, contributions = accounts.pnl(world, box)
        outcome.boxes[box.id] = BoxOutcome(
            months=[asdict(month) for month in box.months],
            default_month=box.default_month,
            trigger=box.trigger,
            cause=box.cause,
            closed_month=box.closed_month,
            sale_month=box.sale_month,
            repaid_month=box.repaid_month,
            in_0=box.in_0,
            in_start=box.in_start,
            in_end=box.in_end,
            out=box.out,
            terminal_value=box.terminal_value,
            pnl=profit,
            contributions=contributions,
            moic=accounts.moic(box),
            flows=accounts.flows(box),
            waivers=box.waivers,
        )
    for sponsor in world.sponsors.values():
        outcome.sponsors[sponsor.id] = SponsorOutcome(
            sponsor.default_month,
            sponsor.retained,
            accounts.sponsor_pnl(world, sponsor),
            sponsor.payout_rate,
            sponsor.cash_by_month,
            sponsor.raised_by_month,
        )


def drop_month_0(market: MarketOutcome) -> None:
    """Series start with month 1; the state of month 0 goes."""
    for name, series in vars(market).items():
        if name == "overhang":
            continue
        if isinstance(series, dict):
            setattr(market, name, {key: values[1:] for key, values in series.items()})
        else:
            setattr(market, name, series[1:])
