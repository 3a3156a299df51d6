"""Small makers for the tests of the rules: a chain of blocks, wallets, approvals and movements in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from chains.types import (
    Address,
    AnchorEvidence,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    FinalityKind,
    Holding,
    LocationId,
    ReadStatus,
    StateEvidence,
    Transfer,
    TransferKind,
    account_location,
)
from mapping.types import (
    AccountClass,
    FirmAddress,
    Position,
    PositionSource,
    Purpose,
    Structure,
    TransferAuthorization,
    Wallet,
)
from verifier.records import Reconciliation
from verifier.rules.claims import Claim, Claims, Holder, Place
from verifier.rules.holdings import MappedHolding
from verifier.rules.reconcile import Moment, Observations, reconcile
from verifier.rules.surroundings import Surroundings

CHAIN = ChainId("eip155:31337")
OTHER_CHAIN = ChainId("eip155:1")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ETH = Asset(AssetId(f"{CHAIN}/slip44:60"), "ETH", 18)
USDC = Asset(AssetId(f"{CHAIN}/erc20:0x{'c' * 40}"), "USDC", 6)
DAI = Asset(AssetId(f"{CHAIN}/erc20:0x{'d' * 40}"), "DAI", 18)
SKEW = 900


def address(number: int) -> Address:
    """An address; the rules never look inside one."""
    return Address(f"0x{number:040x}")


A, B, C = address(0xA), address(0xB), address(0xC)
OUTSIDE, FIRM = address(0xE), address(0xF)


def place(at: Address = A) -> LocationId:
    return account_location(CHAIN, at)


def block(height: int = 100, *, at: datetime | None = None, chain_id: ChainId = CHAIN, fork: int = 0) -> BlockRef:
    """The block of a height; twelve seconds each, block 100 at noon."""
    time = at if at is not None else NOON + timedelta(seconds=12 * (height - 100))
    return BlockRef(chain_id, height, f"0x{fork:032x}{height:032x}", f"0x{fork:032x}{max(height - 1, 0):032x}", time)


PIN = block()


def read(at: Address, asset: Asset, base_units: int | None, *, pin: BlockRef = PIN) -> BalanceObservation:
    """A balance as read, or a failed read for None."""
    failed = base_units is None
    return BalanceObservation(
        holding=Holding(at, asset),
        block=pin,
        finality=Finality(FinalityKind.FINALIZED),
        status=ReadStatus.FAILED if failed else ReadStatus.OK,
        base_units=base_units,
        method="batch",
        node_id="node-1",
        state=StateEvidence.READ,
        anchor=AnchorEvidence.SINGLE,
        reason="state-unavailable: the node has no state of that block" if failed else "",
    )


def observed(*reads: BalanceObservation) -> dict[tuple[Address, AssetId], BalanceObservation]:
    return {(each.holding.address, each.holding.asset.asset_id): each for each in reads}


def holding(*addresses: Address, asset: Asset = USDC, pool: str = "") -> MappedHolding:
    location = LocationId(f"pool:{pool}") if pool else place(addresses[0])
    return MappedHolding(location, asset, tuple(addresses), is_pool=bool(pool), all_closed=False)


def claim(*figures: int, gas_float: int = 0, firm: int = 0, as_of: datetime = NOON) -> Claim:
    """Clients c1, c2, … with the given figures, the firm's gas float, and the firm's own."""
    holders = [Holder(f"c{number}", AccountClass.CUSTOMER, figure) for number, figure in enumerate(figures, 1)]
    if gas_float:
        holders.append(Holder("firm", AccountClass.PROPRIETARY, gas_float, is_gas_float=True))
    if firm:
        holders.append(Holder("firm", AccountClass.PROPRIETARY, firm))
    return Claim(tuple(holders), as_of)


def claims(books: Mapping[Place, Claim], as_of: datetime = NOON) -> Claims:
    """These claims as the books give them, all as of one moment."""
    return Claims({place: each.holders for place, each in books.items()}, as_of)


def statement(
    base_units: int,
    *,
    at: LocationId | None = None,
    as_of: datetime = NOON,
    by: str = "Acme Custody",
    number: str = "S1",
    asset: Asset = USDC,
) -> Position:
    source = PositionSource.CUSTODIAN
    return Position(at or place(), asset.asset_id, base_units, as_of, source, by, number)


MOMENT = Moment("sweep-1", PIN, claimed_as_of=NOON, known_at=NOON, as_of_skew_seconds_max=SKEW)


def compare(
    base_units: int | None,
    claimed: Claim | None,
    *,
    asset: Asset = USDC,
    statements: Iterable[Position] = (),
    moment: Moment = MOMENT,
) -> Reconciliation:
    """One wallet, one asset."""
    reads: Observations = observed(read(A, asset, base_units))
    return reconcile(holding(A, asset=asset), reads, claimed, list(statements), moment)


def wallet(
    at: Address = A,
    *,
    structure: Structure = Structure.OMNIBUS,
    custodian: str = "Acme Custody",
    vault: str = "v1",
    closed_on: date | None = None,
    gas_float_limit: int = 0,
) -> Wallet:
    return Wallet(
        chain_id=CHAIN,
        address=at,
        structure=structure,
        titling="Firm for the exclusive benefit of customers",
        custodian=custodian,
        mpc_vault=vault,
        key_scheme="mpc-cmp-ecdsa",
        threshold=2,
        share_count=3,
        share_holders=(("firm", 2), ("custodian", 1)),
        firm_alone_can_sign=True,
        others_can_sign_without_firm=False,
        opened_on=date(2026, 1, 1),
        closed_on=closed_on,
        gas_float_limit=gas_float_limit,
    )


def around(
    *wallets: Wallet, dust: Mapping[AssetId, int] | None = None, pin: BlockRef = PIN, provisional: bool = False
) -> Surroundings:
    mapped = {each.address: each for each in wallets or (wallet(),)}
    return Surroundings(pin, pin.timestamp.date(), mapped, dust or {}, provisional)


def moved(
    base_units: int = 100,
    *,
    sender: Address | None = A,
    receiver: Address | None = OUTSIDE,
    asset: Asset = USDC,
    height: int = 100,
    tx: str = "",
    index: int = 0,
    kind: TransferKind | None = None,
    pin: BlockRef | None = None,
) -> Transfer:
    """One movement; its transaction is named by everything about it unless it is given."""
    kind = kind or (TransferKind.NATIVE if asset.is_native else TransferKind.TOKEN)
    tx_id = tx or f"tx-{height}-{sender}-{receiver}-{asset.symbol}-{base_units}-{index}"
    return Transfer(pin or block(height), tx_id, index, asset, sender, receiver, base_units, kind)


def fee(base_units: int, of: Transfer, *, sender: Address = A) -> Transfer:
    """The network fee of a movement's transaction."""
    return Transfer(of.block, of.tx_id, -1, ETH, sender, None, base_units, TransferKind.FEE)


def approval(
    base_units_max: int = 100,
    *,
    name: str = "auth-1",
    chain_id: ChainId = CHAIN,
    from_wallet: Address = A,
    asset: Asset = USDC,
    to: Address = OUTSIDE,
    fee_max: int | None = None,
    valid_from: datetime = NOON - timedelta(hours=1),
    valid_until: datetime = NOON + timedelta(hours=1),
    purpose: Purpose = Purpose.CLIENT_WITHDRAWAL,
    approved_at: datetime = NOON - timedelta(hours=2),
) -> TransferAuthorization:
    return TransferAuthorization(
        authorization_id=name,
        chain_id=chain_id,
        wallet=from_wallet,
        asset_id=asset.asset_id,
        base_units_max=base_units_max,
        destination=to,
        fee_max=fee_max,
        valid_from=valid_from,
        valid_until=valid_until,
        purpose=purpose,
        requested_by="ops.maker",
        approved_by="ops.checker",
        approved_at=approved_at,
        reference=f"ticket {name}",
        client_id="c1",
    )


def firm_address(
    at: Address = FIRM, *, valid_from: date = date(2026, 1, 1), valid_until: date | None = None
) -> FirmAddress:
    return FirmAddress(CHAIN, at, "treasury", valid_from, valid_until)
