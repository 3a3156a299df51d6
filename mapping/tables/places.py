"""clients, assets, wallets, pools, firm_addresses, custodian_addresses: who there is, and where assets can be."""

from __future__ import annotations

from datetime import date

from chains.errors import InvalidValue
from chains.types import DECIMALS_MAX, Asset, has_token_id, parse_location_id, utc_text
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import (
    one_of,
    parse_count,
    parse_date,
    parse_id,
    parse_name,
    parse_share_holders,
    parse_time,
    parse_yes_no,
)
from mapping.tables.shared import (
    DATE_RULE,
    ID_RULE,
    NAME_RULE,
    QUANTITY_RULE,
    TIME_RULE,
    address_column,
    chain_column,
    native_quantity_on,
    parse_quantity,
    plain,
    texts,
)
from mapping.types import (
    AssetRecord,
    Client,
    CustodianAddress,
    FirmAddress,
    LegalClass,
    PoolMember,
    Structure,
    Wallet,
)

FIRM_HOLDER = "firm"
"""The holder of key shares that is the firm itself."""


def _date(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, meaning, "date", DATE_RULE, plain(parse_date), required=required)


def _require_order(row: Row, first: str, last: str) -> None:
    begin, end = row[first], row[last]
    if isinstance(begin, date) and isinstance(end, date) and end < begin:
        raise ColumnProblem(last, f"{last} is before {first}")


def _build_client(row: Row) -> Client:
    _require_order(row, "opened_on", "closed_on")
    return Client(row["client_id"], row["name"], row["opened_on"], row["closed_on"])


CLIENTS = Table(
    name="clients",
    meaning="The beneficial owners; the firm itself is one, for its proprietary accounts.",
    record_type=Client,
    columns=(
        Column("client_id", "Id of the beneficial owner in the firm's books.", "id", ID_RULE, plain(parse_id)),
        Column("name", "Name, for people.", "text", NAME_RULE, plain(parse_name)),
        _date("opened_on", "First day of the account."),
        _date("closed_on", "Last day of the account; empty while it is open.", required=False),
    ),
    build=_build_client,
    key_columns=("client_id",),
    key=lambda client: (client.client_id,),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("C-1001", "Client 1001", "2025-03-03", ""),
        ("C-1002", "Birch Street Partners, LP", "2025-06-16", ""),
        ("FIRM", "The firm itself", "2025-01-02", ""),
    ),
)


def _decimals(text: str, row: Row) -> object:
    decimals = parse_count(text)
    if decimals and has_token_id(row["asset_id"]):
        raise InvalidValue("a token of a collection is counted whole: its decimals are 0")
    if decimals > DECIMALS_MAX:
        raise InvalidValue(f"an asset has at most {DECIMALS_MAX} decimals")
    return decimals


def _dust_limit(text: str, row: Row) -> object:
    asset = Asset(row["asset_id"], row["symbol"], row["decimals"])
    return parse_quantity(asset.parse_quantity, text)


def _build_asset(row: Row) -> AssetRecord:
    return AssetRecord(
        Asset(row["asset_id"], row["symbol"], row["decimals"]),
        row["legal_class"],
        row["legal_class_from"],
        row["legal_class_reference"],
        row["dust_limit"],
    )


ASSETS = Table(
    name="assets",
    meaning="The reviewed table of assets: decimals are taken from here, never from a chain.",
    record_type=AssetRecord,
    columns=(
        Column(
            "asset_id",
            "The asset.",
            "CAIP-19, `cusip:`, `iso4217:`",
            "addresses with their checksum, CUSIPs with their check digit, collections token by token "
            "(`erc721:0x…/ID`, `erc1155:0x…/ID`)",
            lambda text, row: row.context.new_asset_id(text),
        ),
        Column("symbol", "Short name for display; never compared.", "text", NAME_RULE, plain(parse_name)),
        Column(
            "decimals",
            "Decimals of one whole unit: a quantity times 10^decimals is in base units.",
            "digits",
            "0 to 77; 0 for a token of a collection; never changed for an asset once recorded",
            _decimals,
        ),
        Column(
            "legal_class",
            "What the firm decided the asset is.",
            "word",
            "`security`, `non_security_crypto`, `payment_stablecoin` or `undetermined`",
            plain(one_of(LegalClass)),
        ),
        _date("legal_class_from", "First day the decision holds."),
        Column("legal_class_reference", "Reference of the decision.", "text", NAME_RULE, plain(parse_name)),
        Column(
            "dust_limit",
            "Unsolicited deposits below this share one case per asset and day.",
            "whole units of the asset",
            QUANTITY_RULE + "; 0 when empty",
            _dust_limit,
            required=False,
            default=0,
        ),
    ),
    build=_build_asset,
    key_columns=("asset_id", "legal_class_from"),
    key=lambda record: texts(record.asset.asset_id, record.legal_class_from),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("eip155:1/slip44:60", "ETH", "18", "non_security_crypto", "2025-01-02", "LEGAL-2025-001", "0.0001"),
        (
            "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "USDC",
            "6",
            "payment_stablecoin",
            "2025-01-02",
            "LEGAL-2025-002",
            "1",
        ),
        ("cusip:037833100", "AAPL", "0", "security", "2025-01-02", "LEGAL-2025-003", ""),
        ("iso4217:USD", "USD", "2", "undetermined", "2025-01-02", "cash", ""),
    ),
    notes=("Several rows of one asset with different `legal_class_from` are its history.",),
)


def _build_wallet(row: Row) -> Wallet:
    _require_order(row, "opened_on", "closed_on")
    threshold, share_count, holders = row["threshold"], row["share_count"], row["share_holders"]
    if not 1 <= threshold <= share_count:
        raise ColumnProblem("threshold", f"a threshold of {threshold} out of {share_count} shares is impossible")
    held = sum(count for _, count in holders)
    if held != share_count:
        raise ColumnProblem("share_holders", f"the holders have {held} shares together, share_count says {share_count}")
    firm = dict(holders).get(FIRM_HOLDER, 0)
    for column, who, shares in (
        ("firm_alone_can_sign", "the firm", firm),
        ("others_can_sign_without_firm", "the others together", held - firm),
    ):
        reaches = shares >= threshold
        if row[column] != reaches:
            fact = f"{who} hold{'s' if who == 'the firm' else ''} {shares} of the {threshold} shares needed"
            raise ColumnProblem(column, f"{fact}: write {'yes' if reaches else 'no'}, or correct the shares")
    return Wallet(
        chain_id=row["chain_id"],
        address=row["address"],
        structure=row["structure"],
        titling=row["titling"],
        custodian=row["custodian"],
        mpc_vault=row["mpc_vault"],
        key_scheme=row["key_scheme"],
        threshold=threshold,
        share_count=share_count,
        share_holders=holders,
        firm_alone_can_sign=row["firm_alone_can_sign"],
        others_can_sign_without_firm=row["others_can_sign_without_firm"],
        opened_on=row["opened_on"],
        closed_on=row["closed_on"],
        gas_float_limit=row["gas_float_limit"],
    )


WALLETS = Table(
    name="wallets",
    meaning="Addresses that hold client assets, and who can sign for them.",
    record_type=Wallet,
    columns=(
        chain_column("Chain the wallet is on."),
        address_column("Address of the wallet."),
        Column(
            "structure",
            "Whether it holds assets of many clients or of exactly one.",
            "word",
            "`omnibus` or `fully_segregated`",
            plain(one_of(Structure)),
        ),
        Column("titling", "Name the wallet stands in at the custodian.", "text", NAME_RULE, plain(parse_name)),
        Column("custodian", "Who keeps the wallet.", "text", NAME_RULE, plain(parse_name)),
        Column(
            "mpc_vault",
            "Vault of the key shares at the custodian.",
            "id",
            ID_RULE,
            plain(parse_id),
            required=False,
            default="",
        ),
        Column("key_scheme", "How signatures are made.", "id", f"{ID_RULE}, such as `mpc-ecdsa`", plain(parse_id)),
        Column("threshold", "Shares needed to sign: m of m of n.", "shares", "1 to share_count", plain(parse_count)),
        Column("share_count", "Shares there are: n of m of n.", "shares", "1 or more", plain(parse_count)),
        Column(
            "share_holders",
            "Who holds how many shares; `firm` is the firm itself.",
            "holder:shares, separated by `;`",
            "each holder once; adds up to share_count",
            plain(parse_share_holders),
        ),
        Column(
            "firm_alone_can_sign",
            "Whether the firm alone can reach the threshold.",
            "yes/no",
            "agrees with threshold and share_holders",
            plain(parse_yes_no),
        ),
        Column(
            "others_can_sign_without_firm",
            "Whether anyone can reach the threshold without the firm.",
            "yes/no",
            "agrees with threshold and share_holders",
            plain(parse_yes_no),
        ),
        _date("opened_on", "First day in use."),
        _date("closed_on", "Last day in use; empty while it is open.", required=False),
        Column(
            "gas_float_limit",
            "Most of the firm's own native coin that may be kept here for fees.",
            "whole units of the chain's native asset",
            QUANTITY_RULE + "; 0 when empty",
            native_quantity_on("chain_id"),
            required=False,
            default=0,
        ),
    ),
    build=_build_wallet,
    key_columns=("chain_id", "address"),
    key=lambda wallet: (wallet.chain_id, wallet.address),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "eip155:1",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "omnibus",
            "The firm, for the exclusive benefit of its customers",
            "Example Custody",
            "vault-7",
            "mpc-ecdsa",
            "2",
            "3",
            "firm:2;custodian:1",
            "yes",
            "no",
            "2025-01-15",
            "",
            "0.5",
        ),
        (
            "eip155:1",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "fully_segregated",
            "The firm, for client C-1001",
            "Example Custody",
            "vault-8",
            "mpc-ecdsa",
            "2",
            "3",
            "firm:2;custodian:1",
            "yes",
            "no",
            "2025-03-03",
            "",
            "",
        ),
        (
            "eip155:1",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "omnibus",
            "The firm, for the exclusive benefit of its customers",
            "Example Custody",
            "vault-7",
            "mpc-ecdsa",
            "2",
            "3",
            "firm:2;custodian:1",
            "yes",
            "no",
            "2025-01-15",
            "",
            "",
        ),
        (
            "bip122:000000000019d6689c085ae165831e93",
            "bc1qxf4jyj0r5fw4m3sfxhcyfm5rt5ysh2zej5q0n2",
            "omnibus",
            "The firm, for the exclusive benefit of its customers",
            "Example Custody",
            "vault-9",
            "mpc-ecdsa",
            "2",
            "3",
            "firm:2;custodian:1",
            "yes",
            "no",
            "2025-01-15",
            "",
            "",
        ),
    ),
    notes=(
        "The same address on two chains is two wallets; the same address on one chain twice is refused.",
        "A fully segregated wallet may hold assets of one client only, besides a gas float of the firm.",
    ),
)


def _pool_id(text: str) -> object:
    parse_location_id(f"pool:{parse_id(text)}")
    return text


def _build_pool_member(row: Row) -> PoolMember:
    _require_order(row, "from_date", "to_date")
    return PoolMember(row["pool_id"], row["chain_id"], row["address"], row["from_date"], row["to_date"])


POOLS = Table(
    name="pools",
    meaning="Omnibus pools: sets of wallets that are compared as one location, `pool:ID`.",
    record_type=PoolMember,
    columns=(
        Column("pool_id", "Id of the pool.", "id", "as other ids, without `/`", plain(_pool_id)),
        chain_column("Chain of the wallet."),
        address_column("Address of an omnibus wallet of wallets.csv."),
        _date("from_date", "First day the wallet belongs to the pool."),
        _date("to_date", "Last day; empty while it belongs.", required=False),
    ),
    build=_build_pool_member,
    key_columns=("pool_id", "chain_id", "address", "from_date"),
    key=lambda member: texts(member.pool_id, member.chain_id, member.address, member.from_date),
    on_change=OnChange.NEW_VERSION,
    examples=(("P-1", "eip155:1", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "2025-01-15", ""),),
    notes=(
        "A wallet belongs to one pool at a time, and never to one when it is fully segregated.",
        "An asset is allocated to a pool or to its wallets, never to both.",
    ),
)


def _build_firm_address(row: Row) -> FirmAddress:
    _require_order(row, "valid_from", "valid_until")
    return FirmAddress(
        row["chain_id"], row["address"], row["label"], row["valid_from"], row["valid_until"], row["tops_up_gas"]
    )


FIRM_ADDRESSES = Table(
    name="firm_addresses",
    meaning="The firm's own addresses: client assets that arrive there are commingled, unless approved.",
    record_type=FirmAddress,
    columns=(
        chain_column(),
        address_column("Address of the firm itself; never one of wallets.csv."),
        Column("label", "What it is used for.", "text", NAME_RULE, plain(parse_name)),
        _date("valid_from", "First day it is the firm's."),
        _date("valid_until", "Last day; empty while it is.", required=False),
        Column(
            "tops_up_gas",
            "Whether native coin from here into a wallet is the firm's gas float; whatever else comes is a finding.",
            "yes or no",
            "`yes` or `no`; no when empty",
            plain(parse_yes_no),
            required=False,
            default=False,
        ),
    ),
    build=_build_firm_address,
    key_columns=("chain_id", "address", "valid_from"),
    key=lambda record: texts(record.chain_id, record.address, record.valid_from),
    on_change=OnChange.NEW_VERSION,
    examples=(("eip155:1", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", "Fee income", "2025-01-02", "", ""),),
)


CUSTODIAN_ADDRESSES = Table(
    name="custodian_addresses",
    meaning="The custodian's own inventory of addresses; an address on one side only is a finding.",
    record_type=CustodianAddress,
    columns=(
        Column("custodian", "Who states the inventory.", "text", NAME_RULE, plain(parse_name)),
        chain_column(),
        address_column("Address the custodian keeps for the firm."),
        Column("mpc_vault", "Vault of the key shares.", "id", ID_RULE, plain(parse_id), required=False, default=""),
        Column("as_of", "Moment the inventory speaks of.", "time", TIME_RULE, plain(parse_time)),
    ),
    build=lambda row: CustodianAddress(
        row["custodian"], row["chain_id"], row["address"], row["mpc_vault"], row["as_of"]
    ),
    key_columns=("custodian", "chain_id", "address", "as_of"),
    key=lambda record: (record.custodian, record.chain_id, record.address, utc_text(record.as_of)),
    on_change=OnChange.REFUSE,
    examples=(
        (
            "Example Custody",
            "eip155:1",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "vault-7",
            "2026-01-31T23:00:00Z",
        ),
        (
            "Example Custody",
            "eip155:1",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "vault-8",
            "2026-01-31T23:00:00Z",
        ),
        (
            "Example Custody",
            "eip155:1",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "vault-7",
            "2026-01-31T23:00:00Z",
        ),
    ),
    notes=("An inventory is complete: one custodian's rows of one `as_of` are everything it keeps.",),
)
