CREATE TABLE alert (
	position INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	event TEXT NOT NULL,
	severity TEXT NOT NULL,
	title TEXT NOT NULL,
	details TEXT NOT NULL,
	case_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	CONSTRAINT pk_alert PRIMARY KEY (position)
)
 STRICT;

CREATE INDEX ix_alert_recorded_at ON alert (recorded_at);

CREATE TABLE alert_channel (
	name TEXT NOT NULL,
	planned_to INTEGER NOT NULL,
	CONSTRAINT pk_alert_channel PRIMARY KEY (name)
)
 STRICT;

CREATE TABLE api_request (
	key_digest TEXT NOT NULL,
	request_digest TEXT NOT NULL,
	started_at TEXT NOT NULL,
	status INTEGER,
	body TEXT,
	CONSTRAINT pk_api_request PRIMARY KEY (key_digest)
)
 STRICT;

CREATE INDEX ix_api_request_started_at ON api_request (started_at);

CREATE TABLE journal_entry (
	sequence INTEGER NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	recorded_at TEXT NOT NULL,
	clock_at TEXT,
	payload TEXT NOT NULL,
	origin TEXT NOT NULL,
	previous_digest TEXT NOT NULL,
	CONSTRAINT pk_journal_entry PRIMARY KEY (sequence)
)
 STRICT;

CREATE TABLE web_ticket (
	digest TEXT NOT NULL,
	purpose TEXT NOT NULL,
	browser TEXT NOT NULL,
	content TEXT NOT NULL,
	expires_at TEXT NOT NULL,
	CONSTRAINT pk_web_ticket PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_web_ticket_expires_at ON web_ticket (expires_at);

CREATE TABLE work_lease (
	name TEXT NOT NULL,
	token INTEGER NOT NULL,
	holder TEXT NOT NULL,
	taken_at TEXT NOT NULL,
	expires_at TEXT NOT NULL,
	CONSTRAINT pk_work_lease PRIMARY KEY (name)
)
 STRICT;

CREATE TABLE alert_delivery (
	channel TEXT NOT NULL,
	position INTEGER NOT NULL,
	state TEXT NOT NULL,
	message_id TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_at TEXT,
	ended_at TEXT,
	code TEXT NOT NULL,
	CONSTRAINT pk_alert_delivery PRIMARY KEY (channel, position),
	CONSTRAINT fk_alert_delivery_position FOREIGN KEY(position) REFERENCES alert (position)
)
 STRICT;

CREATE INDEX ix_alert_delivery_channel_state ON alert_delivery (channel, state);

CREATE TABLE archived (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	kind TEXT NOT NULL,
	subject_id TEXT NOT NULL,
	digest TEXT NOT NULL,
	retain_until TEXT NOT NULL,
	CONSTRAINT pk_archived PRIMARY KEY (record_id),
	CONSTRAINT uq_archived_kind_subject_id UNIQUE (kind, subject_id),
	CONSTRAINT fk_archived_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE asset_value (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	asset_id TEXT NOT NULL,
	symbol TEXT NOT NULL,
	decimals INTEGER NOT NULL,
	CONSTRAINT pk_asset_value PRIMARY KEY (record_id),
	CONSTRAINT uq_asset_value_asset_id_symbol_decimals UNIQUE (asset_id, symbol, decimals),
	CONSTRAINT fk_asset_value_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE attachment_content (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	byte_count INTEGER NOT NULL,
	media_type TEXT NOT NULL,
	content TEXT NOT NULL,
	CONSTRAINT pk_attachment_content PRIMARY KEY (record_id),
	CONSTRAINT uq_attachment_content_sha256 UNIQUE (sha256),
	CONSTRAINT ck_attachment_content_content_is_not_empty CHECK (byte_count > 0),
	CONSTRAINT fk_attachment_content_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE bundle_issued (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	bundle_id TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	digest TEXT NOT NULL,
	as_of TEXT NOT NULL,
	path TEXT NOT NULL,
	head_sequence INTEGER NOT NULL,
	head_digest TEXT NOT NULL,
	CONSTRAINT pk_bundle_issued PRIMARY KEY (record_id),
	CONSTRAINT uq_bundle_issued_bundle_id UNIQUE (bundle_id),
	CONSTRAINT uq_bundle_issued_sequence UNIQUE (sequence),
	CONSTRAINT fk_bundle_issued_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE chain_halt (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	halted INTEGER NOT NULL,
	actor TEXT NOT NULL,
	from_height INTEGER,
	reason TEXT NOT NULL,
	CONSTRAINT pk_chain_halt PRIMARY KEY (record_id),
	CONSTRAINT fk_chain_halt_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT ck_chain_halt_halted_flag CHECK (halted IN (0, 1))
)
 STRICT;

CREATE INDEX ix_chain_halt_chain_id ON chain_halt (chain_id);

CREATE TABLE change_proposal (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	proposal_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	digest TEXT NOT NULL,
	content TEXT NOT NULL,
	text TEXT NOT NULL,
	maker TEXT NOT NULL,
	maker_person TEXT,
	needs_approval INTEGER NOT NULL,
	CONSTRAINT pk_change_proposal PRIMARY KEY (record_id),
	CONSTRAINT uq_change_proposal_proposal_id UNIQUE (proposal_id),
	CONSTRAINT fk_change_proposal_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT ck_change_proposal_needs_approval_flag CHECK (needs_approval IN (0, 1))
)
 STRICT;

CREATE INDEX ix_change_proposal_digest ON change_proposal (digest);

CREATE INDEX ix_change_proposal_kind ON change_proposal (kind);

CREATE TABLE custodian_statement (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	stated_by TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	format TEXT NOT NULL,
	as_of TEXT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_custodian_statement PRIMARY KEY (record_id),
	CONSTRAINT uq_custodian_statement_stated_by_statement_id UNIQUE (stated_by, statement_id),
	CONSTRAINT fk_custodian_statement_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE INDEX ix_custodian_statement_as_of ON custodian_statement (as_of);

CREATE TABLE daily_report (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	report_id TEXT NOT NULL,
	as_of TEXT NOT NULL,
	version INTEGER NOT NULL,
	known_at TEXT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	replaces INTEGER,
	CONSTRAINT pk_daily_report PRIMARY KEY (record_id),
	CONSTRAINT uq_daily_report_report_id UNIQUE (report_id),
	CONSTRAINT uq_daily_report_as_of_version UNIQUE (as_of, version),
	CONSTRAINT uq_daily_report_replaces UNIQUE (replaces),
	CONSTRAINT ck_daily_report_later_version_replaces CHECK ((version = 1) = (replaces IS NULL)),
	CONSTRAINT fk_daily_report_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_daily_report_replaces FOREIGN KEY(replaces) REFERENCES daily_report (record_id)
)
 STRICT;

CREATE TABLE exception_review (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	run_id TEXT NOT NULL,
	as_of TEXT NOT NULL,
	open_at TEXT NOT NULL,
	listed INTEGER NOT NULL,
	unexplained INTEGER NOT NULL,
	wsp_section TEXT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_exception_review PRIMARY KEY (record_id),
	CONSTRAINT uq_exception_review_run_id UNIQUE (run_id),
	CONSTRAINT ck_exception_review_unexplained_among_listed CHECK (unexplained >= 0 AND unexplained <= listed),
	CONSTRAINT fk_exception_review_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE folder_file (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	accepted INTEGER NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_folder_file PRIMARY KEY (record_id),
	CONSTRAINT uq_folder_file_name_digest UNIQUE (name, digest),
	CONSTRAINT fk_folder_file_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT ck_folder_file_accepted_flag CHECK (accepted IN (0, 1))
)
 STRICT;

CREATE TABLE imported_file (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	digest TEXT NOT NULL,
	name TEXT NOT NULL,
	row_count INTEGER NOT NULL,
	CONSTRAINT pk_imported_file PRIMARY KEY (record_id),
	CONSTRAINT uq_imported_file_digest UNIQUE (digest),
	CONSTRAINT fk_imported_file_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE interned_text (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_interned_text PRIMARY KEY (record_id),
	CONSTRAINT uq_interned_text_text UNIQUE (text),
	CONSTRAINT fk_interned_text_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE journal_seal (
	sequence INTEGER NOT NULL,
	rows TEXT NOT NULL,
	rows_digest TEXT NOT NULL,
	entry_digest TEXT NOT NULL,
	CONSTRAINT pk_journal_seal PRIMARY KEY (sequence),
	CONSTRAINT fk_journal_seal_sequence FOREIGN KEY(sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE key_challenge (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	nonce TEXT NOT NULL,
	document TEXT NOT NULL,
	addresses TEXT NOT NULL,
	CONSTRAINT pk_key_challenge PRIMARY KEY (record_id),
	CONSTRAINT uq_key_challenge_nonce UNIQUE (nonce),
	CONSTRAINT fk_key_challenge_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE INDEX ix_key_challenge_chain_id ON key_challenge (chain_id);

CREATE TABLE node_answer (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	digest TEXT NOT NULL,
	content TEXT NOT NULL,
	CONSTRAINT pk_node_answer PRIMARY KEY (record_id),
	CONSTRAINT uq_node_answer_digest UNIQUE (digest),
	CONSTRAINT fk_node_answer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE node_capability (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	node_id TEXT NOT NULL,
	capability TEXT NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_node_capability PRIMARY KEY (record_id),
	CONSTRAINT fk_node_capability_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE INDEX ix_node_capability_chain_id_node_id_capability ON node_capability (chain_id, node_id, capability);

CREATE TABLE person (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	person_id TEXT NOT NULL,
	CONSTRAINT pk_person PRIMARY KEY (record_id),
	CONSTRAINT uq_person_person_id UNIQUE (person_id),
	CONSTRAINT fk_person_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE possession_review (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	review_id TEXT NOT NULL,
	as_of TEXT NOT NULL,
	rule_set TEXT NOT NULL,
	known_at TEXT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	inputs_digest TEXT NOT NULL,
	determined_on TEXT NOT NULL,
	act_by TEXT NOT NULL,
	replaces INTEGER,
	reason TEXT NOT NULL,
	CONSTRAINT pk_possession_review PRIMARY KEY (record_id),
	CONSTRAINT uq_possession_review_review_id UNIQUE (review_id),
	CONSTRAINT uq_possession_review_replaces UNIQUE (replaces),
	CONSTRAINT ck_possession_review_replacement_has_reason CHECK (replaces IS NULL OR reason <> ''),
	CONSTRAINT fk_possession_review_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_possession_review_replaces FOREIGN KEY(replaces) REFERENCES possession_review (record_id)
)
 STRICT;

CREATE INDEX ix_possession_review_as_of ON possession_review (as_of);

CREATE TABLE proof_node (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	digest TEXT NOT NULL,
	node TEXT NOT NULL,
	CONSTRAINT pk_proof_node PRIMARY KEY (record_id),
	CONSTRAINT uq_proof_node_digest UNIQUE (digest),
	CONSTRAINT fk_proof_node_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE pulled_file (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	source TEXT NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	validator TEXT NOT NULL,
	accepted INTEGER NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_pulled_file PRIMARY KEY (record_id),
	CONSTRAINT uq_pulled_file_source_name_digest_accepted UNIQUE (source, name, digest, accepted),
	CONSTRAINT fk_pulled_file_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT ck_pulled_file_accepted_flag CHECK (accepted IN (0, 1))
)
 STRICT;

CREATE TABLE reading (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	method TEXT NOT NULL,
	node_id TEXT NOT NULL,
	state TEXT NOT NULL,
	anchor TEXT NOT NULL,
	CONSTRAINT pk_reading PRIMARY KEY (record_id),
	CONSTRAINT uq_reading_method_node_id_state_anchor UNIQUE (method, node_id, state, anchor),
	CONSTRAINT fk_reading_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE reserve_computation (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	computation_id TEXT NOT NULL,
	as_of TEXT NOT NULL,
	scope TEXT NOT NULL,
	occasion TEXT NOT NULL,
	rule_set TEXT NOT NULL,
	known_at TEXT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	compute_on TEXT NOT NULL,
	deposit_on TEXT NOT NULL,
	deposit_by TEXT NOT NULL,
	replaces INTEGER,
	reason TEXT NOT NULL,
	CONSTRAINT pk_reserve_computation PRIMARY KEY (record_id),
	CONSTRAINT uq_reserve_computation_computation_id UNIQUE (computation_id),
	CONSTRAINT uq_reserve_computation_replaces UNIQUE (replaces),
	CONSTRAINT ck_reserve_computation_replacement_has_reason CHECK (replaces IS NULL OR reason <> ''),
	CONSTRAINT fk_reserve_computation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_computation_replaces FOREIGN KEY(replaces) REFERENCES reserve_computation (record_id)
)
 STRICT;

CREATE INDEX ix_reserve_computation_as_of ON reserve_computation (as_of);

CREATE TABLE scheduled_run (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	job TEXT NOT NULL,
	slot_key TEXT NOT NULL,
	business_date TEXT NOT NULL,
	due_at TEXT NOT NULL,
	started_at TEXT,
	CONSTRAINT pk_scheduled_run PRIMARY KEY (record_id),
	CONSTRAINT uq_scheduled_run_job_slot_key UNIQUE (job, slot_key),
	CONSTRAINT fk_scheduled_run_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE securities_run (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	run_id TEXT NOT NULL,
	as_of TEXT NOT NULL,
	known_at TEXT NOT NULL,
	expected INTEGER NOT NULL,
	matched INTEGER NOT NULL,
	diverged INTEGER NOT NULL,
	unverified INTEGER NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_securities_run PRIMARY KEY (record_id),
	CONSTRAINT uq_securities_run_run_id UNIQUE (run_id),
	CONSTRAINT fk_securities_run_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE INDEX ix_securities_run_as_of ON securities_run (as_of);

CREATE TABLE sweep (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	sweep_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	height INTEGER NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TEXT NOT NULL,
	finality TEXT NOT NULL,
	node_id TEXT NOT NULL,
	header_checked INTEGER NOT NULL,
	known_at TEXT NOT NULL,
	expected INTEGER NOT NULL,
	CONSTRAINT pk_sweep PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_sweep_id UNIQUE (sweep_id),
	CONSTRAINT fk_sweep_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT ck_sweep_header_checked_flag CHECK (header_checked IN (0, 1))
)
 STRICT;

CREATE INDEX ix_sweep_chain_id ON sweep (chain_id);

CREATE TABLE sweep_failure (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	expected INTEGER NOT NULL,
	CONSTRAINT pk_sweep_failure PRIMARY KEY (record_id),
	CONSTRAINT fk_sweep_failure_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE INDEX ix_sweep_failure_chain_id ON sweep_failure (chain_id);

CREATE TABLE trade_settlement (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	trade_id TEXT NOT NULL,
	act TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	height INTEGER NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TEXT NOT NULL,
	tx_id TEXT NOT NULL,
	CONSTRAINT pk_trade_settlement PRIMARY KEY (record_id),
	CONSTRAINT fk_trade_settlement_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE INDEX ix_trade_settlement_trade_id ON trade_settlement (trade_id);

CREATE TABLE transaction_proof (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	block_hash TEXT NOT NULL,
	tx_id TEXT NOT NULL,
	place INTEGER NOT NULL,
	header TEXT NOT NULL,
	transaction_nodes TEXT NOT NULL,
	receipt_nodes TEXT NOT NULL,
	CONSTRAINT pk_transaction_proof PRIMARY KEY (record_id),
	CONSTRAINT uq_transaction_proof_block_hash_tx_id UNIQUE (block_hash, tx_id),
	CONSTRAINT fk_transaction_proof_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
)
 STRICT;

CREATE TABLE accepted_control (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	acceptance_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	wallet TEXT NOT NULL,
	kind TEXT NOT NULL,
	asset_id TEXT,
	subject TEXT NOT NULL,
	base_units_max TEXT,
	valid_from TEXT NOT NULL,
	valid_until TEXT NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	approved_at TEXT NOT NULL,
	CONSTRAINT pk_accepted_control PRIMARY KEY (record_id),
	CONSTRAINT ck_accepted_control_maker_is_not_checker CHECK (requested_by <> approved_by),
	CONSTRAINT fk_accepted_control_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_accepted_control_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_accepted_control_base_units_max_digits CHECK (base_units_max = '0' OR ((base_units_max GLOB '[1-9]*' OR base_units_max GLOB '-[1-9]*') AND substr(base_units_max, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units_max, '-')) < 78 OR (length(ltrim(base_units_max, '-')) = 78 AND ltrim(base_units_max, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_accepted_control_acceptance_id ON accepted_control (acceptance_id);

CREATE INDEX ix_accepted_control_chain_id_wallet ON accepted_control (chain_id, wallet);

CREATE TABLE account_balance (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	account_id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	holder_class TEXT NOT NULL,
	account_type TEXT NOT NULL,
	credit_balance TEXT NOT NULL,
	debit_balance TEXT NOT NULL,
	CONSTRAINT pk_account_balance PRIMARY KEY (record_id),
	CONSTRAINT fk_account_balance_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_account_balance_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_account_balance_credit_balance_digits CHECK (credit_balance = '0' OR ((credit_balance GLOB '[1-9]*' OR credit_balance GLOB '-[1-9]*') AND substr(credit_balance, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(credit_balance, '-')) < 78 OR (length(ltrim(credit_balance, '-')) = 78 AND ltrim(credit_balance, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_account_balance_debit_balance_digits CHECK (debit_balance = '0' OR ((debit_balance GLOB '[1-9]*' OR debit_balance GLOB '-[1-9]*') AND substr(debit_balance, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(debit_balance, '-')) < 78 OR (length(ltrim(debit_balance, '-')) = 78 AND ltrim(debit_balance, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_account_balance_account_id ON account_balance (account_id);

CREATE INDEX ix_account_balance_as_of ON account_balance (as_of);

CREATE TABLE account_relation (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	account_id TEXT NOT NULL,
	effective_from TEXT NOT NULL,
	single_customer_id TEXT NOT NULL,
	relation TEXT NOT NULL,
	non_customer_share TEXT NOT NULL,
	unsecured_or_doubtful INTEGER NOT NULL,
	related_to_credits TEXT NOT NULL,
	omnibus_deficit TEXT NOT NULL,
	recent_calls TEXT NOT NULL,
	relief_excepted TEXT NOT NULL,
	relief_requested_on TEXT,
	hypothecation_consent_on TEXT,
	lending_consent_on TEXT,
	fully_paid_lending_agreement_on TEXT,
	pab_use_notice_on TEXT,
	CONSTRAINT pk_account_relation PRIMARY KEY (record_id),
	CONSTRAINT fk_account_relation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_account_relation_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_account_relation_unsecured_or_doubtful_flag CHECK (unsecured_or_doubtful IN (0, 1)),
	CONSTRAINT ck_account_relation_related_to_credits_digits CHECK (related_to_credits = '0' OR ((related_to_credits GLOB '[1-9]*' OR related_to_credits GLOB '-[1-9]*') AND substr(related_to_credits, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(related_to_credits, '-')) < 78 OR (length(ltrim(related_to_credits, '-')) = 78 AND ltrim(related_to_credits, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_account_relation_omnibus_deficit_digits CHECK (omnibus_deficit = '0' OR ((omnibus_deficit GLOB '[1-9]*' OR omnibus_deficit GLOB '-[1-9]*') AND substr(omnibus_deficit, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(omnibus_deficit, '-')) < 78 OR (length(ltrim(omnibus_deficit, '-')) = 78 AND ltrim(omnibus_deficit, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_account_relation_recent_calls_digits CHECK (recent_calls = '0' OR ((recent_calls GLOB '[1-9]*' OR recent_calls GLOB '-[1-9]*') AND substr(recent_calls, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(recent_calls, '-')) < 78 OR (length(ltrim(recent_calls, '-')) = 78 AND ltrim(recent_calls, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_account_relation_relief_excepted_digits CHECK (relief_excepted = '0' OR ((relief_excepted GLOB '[1-9]*' OR relief_excepted GLOB '-[1-9]*') AND substr(relief_excepted, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(relief_excepted, '-')) < 78 OR (length(ltrim(relief_excepted, '-')) = 78 AND ltrim(relief_excepted, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_account_relation_account_id ON account_relation (account_id);

CREATE TABLE approval_scan (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	first_height INTEGER NOT NULL,
	height INTEGER NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TEXT NOT NULL,
	node_id TEXT NOT NULL,
	watched_key INTEGER NOT NULL,
	odd TEXT NOT NULL,
	late TEXT NOT NULL,
	CONSTRAINT pk_approval_scan PRIMARY KEY (record_id),
	CONSTRAINT fk_approval_scan_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_approval_scan_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_approval_scan_watched_key FOREIGN KEY(watched_key) REFERENCES interned_text (record_id)
)
 STRICT;

CREATE INDEX ix_approval_scan_chain_id ON approval_scan (chain_id);

CREATE TABLE asset (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	asset_id TEXT NOT NULL,
	symbol TEXT NOT NULL,
	decimals INTEGER NOT NULL,
	legal_class TEXT NOT NULL,
	legal_class_from TEXT NOT NULL,
	legal_class_reference TEXT NOT NULL,
	dust_limit TEXT NOT NULL,
	CONSTRAINT pk_asset PRIMARY KEY (record_id),
	CONSTRAINT fk_asset_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_asset_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_asset_dust_limit_digits CHECK (dust_limit = '0' OR ((dust_limit GLOB '[1-9]*' OR dust_limit GLOB '-[1-9]*') AND substr(dust_limit, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(dust_limit, '-')) < 78 OR (length(ltrim(dust_limit, '-')) = 78 AND ltrim(dust_limit, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_asset_asset_id ON asset (asset_id);

CREATE TABLE backfill (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	sweep_key INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	of_assets INTEGER NOT NULL,
	first_height INTEGER NOT NULL,
	last_height INTEGER NOT NULL,
	CONSTRAINT pk_backfill PRIMARY KEY (record_id),
	CONSTRAINT fk_backfill_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT ck_backfill_of_assets_flag CHECK (of_assets IN (0, 1))
)
 STRICT;

CREATE INDEX ix_backfill_chain_id ON backfill (chain_id);

CREATE TABLE balance_observation (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	reading_key INTEGER NOT NULL,
	base_units TEXT,
	reason TEXT,
	CONSTRAINT pk_balance_observation PRIMARY KEY (record_id),
	CONSTRAINT uq_balance_observation_sweep_key_location_key_asset_key UNIQUE (sweep_key, location_key, asset_key),
	CONSTRAINT ck_balance_observation_amount_or_reason CHECK ((base_units IS NULL) = (reason IS NOT NULL)),
	CONSTRAINT fk_balance_observation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_balance_observation_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_balance_observation_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_balance_observation_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT fk_balance_observation_reading_key FOREIGN KEY(reading_key) REFERENCES reading (record_id),
	CONSTRAINT ck_balance_observation_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE bank_movement (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	account_id TEXT NOT NULL,
	bank_reference TEXT NOT NULL,
	value_on TEXT NOT NULL,
	direction TEXT NOT NULL,
	cents TEXT NOT NULL,
	instruction_id TEXT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_bank_movement PRIMARY KEY (record_id),
	CONSTRAINT fk_bank_movement_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_bank_movement_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_bank_movement_cents_digits CHECK (cents = '0' OR ((cents GLOB '[1-9]*' OR cents GLOB '-[1-9]*') AND substr(cents, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(cents, '-')) < 78 OR (length(ltrim(cents, '-')) = 78 AND ltrim(cents, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_bank_movement_bank_reference ON bank_movement (bank_reference);

CREATE TABLE books_close (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	file TEXT NOT NULL,
	row_count INTEGER NOT NULL,
	total TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_books_close PRIMARY KEY (record_id),
	CONSTRAINT fk_books_close_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_books_close_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_books_close_as_of ON books_close (as_of);

CREATE TABLE bundle_block (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	bundle_key INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	height INTEGER NOT NULL,
	block_hash TEXT NOT NULL,
	CONSTRAINT pk_bundle_block PRIMARY KEY (record_id),
	CONSTRAINT uq_bundle_block_bundle_key_chain_id UNIQUE (bundle_key, chain_id),
	CONSTRAINT fk_bundle_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_bundle_block_bundle_key FOREIGN KEY(bundle_key) REFERENCES bundle_issued (record_id)
)
 STRICT;

CREATE TABLE change_decision (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	proposal_key INTEGER NOT NULL,
	act TEXT NOT NULL,
	actor TEXT NOT NULL,
	person_id TEXT,
	maker TEXT NOT NULL,
	maker_person TEXT,
	digest TEXT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_change_decision PRIMARY KEY (record_id),
	CONSTRAINT uq_change_decision_proposal_key UNIQUE (proposal_key),
	CONSTRAINT ck_change_decision_maker_is_not_checker CHECK (act <> 'approved' OR maker <> actor),
	CONSTRAINT ck_change_decision_maker_is_another_person CHECK (act <> 'approved' OR maker_person IS NULL OR person_id IS NULL OR maker_person <> person_id),
	CONSTRAINT fk_change_decision_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_change_decision_proposal_key FOREIGN KEY(proposal_key) REFERENCES change_proposal (record_id)
)
 STRICT;

CREATE TABLE change_search (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	sweep_key INTEGER NOT NULL,
	mode TEXT NOT NULL,
	first_height INTEGER NOT NULL,
	last_height INTEGER NOT NULL,
	blocks_read INTEGER NOT NULL,
	node_id TEXT NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_change_search PRIMARY KEY (record_id),
	CONSTRAINT uq_change_search_sweep_key UNIQUE (sweep_key),
	CONSTRAINT fk_change_search_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_change_search_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE TABLE change_step (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	after_height INTEGER NOT NULL,
	height INTEGER NOT NULL,
	found TEXT NOT NULL,
	left_over TEXT NOT NULL,
	tx_ids TEXT NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_change_step PRIMARY KEY (record_id),
	CONSTRAINT uq_change_step_sweep_key_location_key_asset_key_height UNIQUE (sweep_key, location_key, asset_key, height),
	CONSTRAINT ck_change_step_after_before_height CHECK (after_height < height),
	CONSTRAINT fk_change_step_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_change_step_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_change_step_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_change_step_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_change_step_found_digits CHECK (found = '0' OR ((found GLOB '[1-9]*' OR found GLOB '-[1-9]*') AND substr(found, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(found, '-')) < 78 OR (length(ltrim(found, '-')) = 78 AND ltrim(found, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_change_step_left_over_digits CHECK (left_over = '0' OR ((left_over GLOB '[1-9]*' OR left_over GLOB '-[1-9]*') AND substr(left_over, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(left_over, '-')) < 78 OR (length(ltrim(left_over, '-')) = 78 AND ltrim(left_over, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE clearing_agency (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	agency TEXT NOT NULL,
	effective_from TEXT NOT NULL,
	agency_kind TEXT NOT NULL,
	determined_on TEXT,
	security_deposits TEXT NOT NULL,
	assessment_power TEXT NOT NULL,
	margin_deposits TEXT NOT NULL,
	exempted_by_commission INTEGER NOT NULL,
	no_lien_letter INTEGER NOT NULL,
	safeguards INTEGER NOT NULL,
	undertaking INTEGER NOT NULL,
	rules_approved_on TEXT,
	notice_published_on TEXT,
	notice_withdrawn_on TEXT,
	conditions_on TEXT,
	CONSTRAINT pk_clearing_agency PRIMARY KEY (record_id),
	CONSTRAINT fk_clearing_agency_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_clearing_agency_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_clearing_agency_security_deposits_digits CHECK (security_deposits = '0' OR ((security_deposits GLOB '[1-9]*' OR security_deposits GLOB '-[1-9]*') AND substr(security_deposits, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(security_deposits, '-')) < 78 OR (length(ltrim(security_deposits, '-')) = 78 AND ltrim(security_deposits, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_clearing_agency_assessment_power_digits CHECK (assessment_power = '0' OR ((assessment_power GLOB '[1-9]*' OR assessment_power GLOB '-[1-9]*') AND substr(assessment_power, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(assessment_power, '-')) < 78 OR (length(ltrim(assessment_power, '-')) = 78 AND ltrim(assessment_power, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_clearing_agency_margin_deposits_digits CHECK (margin_deposits = '0' OR ((margin_deposits GLOB '[1-9]*' OR margin_deposits GLOB '-[1-9]*') AND substr(margin_deposits, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(margin_deposits, '-')) < 78 OR (length(ltrim(margin_deposits, '-')) = 78 AND ltrim(margin_deposits, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_clearing_agency_exempted_by_commission_flag CHECK (exempted_by_commission IN (0, 1)),
	CONSTRAINT ck_clearing_agency_no_lien_letter_flag CHECK (no_lien_letter IN (0, 1)),
	CONSTRAINT ck_clearing_agency_safeguards_flag CHECK (safeguards IN (0, 1)),
	CONSTRAINT ck_clearing_agency_undertaking_flag CHECK (undertaking IN (0, 1))
)
 STRICT;

CREATE INDEX ix_clearing_agency_agency ON clearing_agency (agency);

CREATE TABLE clearing_margin (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	margin_id TEXT NOT NULL,
	computation TEXT NOT NULL,
	agency_kind TEXT NOT NULL,
	agency TEXT NOT NULL,
	client_id TEXT NOT NULL,
	required TEXT NOT NULL,
	on_deposit TEXT NOT NULL,
	held_as TEXT NOT NULL,
	customer_only INTEGER NOT NULL,
	arose_on TEXT,
	customer_was_short INTEGER NOT NULL,
	called_on TEXT,
	delivered_on TEXT,
	CONSTRAINT pk_clearing_margin PRIMARY KEY (record_id),
	CONSTRAINT fk_clearing_margin_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_clearing_margin_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_clearing_margin_required_digits CHECK (required = '0' OR ((required GLOB '[1-9]*' OR required GLOB '-[1-9]*') AND substr(required, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(required, '-')) < 78 OR (length(ltrim(required, '-')) = 78 AND ltrim(required, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_clearing_margin_on_deposit_digits CHECK (on_deposit = '0' OR ((on_deposit GLOB '[1-9]*' OR on_deposit GLOB '-[1-9]*') AND substr(on_deposit, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(on_deposit, '-')) < 78 OR (length(ltrim(on_deposit, '-')) = 78 AND ltrim(on_deposit, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_clearing_margin_customer_only_flag CHECK (customer_only IN (0, 1)),
	CONSTRAINT ck_clearing_margin_customer_was_short_flag CHECK (customer_was_short IN (0, 1))
)
 STRICT;

CREATE INDEX ix_clearing_margin_as_of ON clearing_margin (as_of);

CREATE TABLE client (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	client_id TEXT NOT NULL,
	name TEXT NOT NULL,
	opened_on TEXT NOT NULL,
	closed_on TEXT,
	CONSTRAINT pk_client PRIMARY KEY (record_id),
	CONSTRAINT fk_client_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_client_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_client_client_id ON client (client_id);

CREATE TABLE control_location (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	location_id TEXT NOT NULL,
	effective_from TEXT NOT NULL,
	paragraph TEXT NOT NULL,
	evidence_on TEXT NOT NULL,
	reference TEXT NOT NULL,
	valid_until TEXT,
	CONSTRAINT pk_control_location PRIMARY KEY (record_id),
	CONSTRAINT fk_control_location_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_control_location_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_control_location_location_id ON control_location (location_id);

CREATE TABLE control_state (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	address TEXT NOT NULL,
	role TEXT NOT NULL,
	facts_key INTEGER NOT NULL,
	nonce INTEGER,
	known_key INTEGER NOT NULL,
	known_nonce INTEGER,
	CONSTRAINT pk_control_state PRIMARY KEY (record_id),
	CONSTRAINT uq_control_state_sweep_key_address UNIQUE (sweep_key, address),
	CONSTRAINT fk_control_state_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_control_state_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_control_state_facts_key FOREIGN KEY(facts_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_control_state_known_key FOREIGN KEY(known_key) REFERENCES interned_text (record_id)
)
 STRICT;

CREATE TABLE covered_block (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	height INTEGER NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TEXT NOT NULL,
	node_id TEXT NOT NULL,
	mode TEXT NOT NULL,
	CONSTRAINT pk_covered_block PRIMARY KEY (record_id),
	CONSTRAINT uq_covered_block_sweep_key_block_hash UNIQUE (sweep_key, block_hash),
	CONSTRAINT fk_covered_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_covered_block_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE INDEX ix_covered_block_chain_id_height ON covered_block (chain_id, height);

CREATE TABLE cure_act (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	act_id TEXT NOT NULL,
	review_key INTEGER NOT NULL,
	security_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	base_units TEXT NOT NULL,
	line_id TEXT NOT NULL,
	instructed_at TEXT NOT NULL,
	text TEXT NOT NULL,
	maker TEXT NOT NULL,
	CONSTRAINT pk_cure_act PRIMARY KEY (record_id),
	CONSTRAINT uq_cure_act_act_id UNIQUE (act_id),
	CONSTRAINT fk_cure_act_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_cure_act_review_key FOREIGN KEY(review_key) REFERENCES possession_review (record_id),
	CONSTRAINT ck_cure_act_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE custodian_account (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	location_id TEXT NOT NULL,
	effective_from TEXT NOT NULL,
	custodian TEXT NOT NULL,
	account TEXT NOT NULL,
	held_for TEXT NOT NULL,
	titling TEXT NOT NULL,
	currency TEXT NOT NULL,
	statement_due TEXT NOT NULL,
	reference TEXT NOT NULL,
	closed_on TEXT,
	CONSTRAINT pk_custodian_account PRIMARY KEY (record_id),
	CONSTRAINT fk_custodian_account_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custodian_account_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_custodian_account_location_id ON custodian_account (location_id);

CREATE TABLE custodian_address (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	custodian TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	mpc_vault TEXT NOT NULL,
	as_of TEXT NOT NULL,
	CONSTRAINT pk_custodian_address PRIMARY KEY (record_id),
	CONSTRAINT fk_custodian_address_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custodian_address_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_custodian_address_chain_id_address ON custodian_address (chain_id, address);

CREATE TABLE custodian_message (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_custodian_message PRIMARY KEY (record_id),
	CONSTRAINT uq_custodian_message_file_key UNIQUE (file_key),
	CONSTRAINT fk_custodian_message_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custodian_message_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE TABLE custody_case (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	case_id TEXT NOT NULL,
	finding_key TEXT NOT NULL,
	occurrence INTEGER NOT NULL,
	kind TEXT NOT NULL,
	rail TEXT NOT NULL,
	location_id TEXT NOT NULL,
	asset_key INTEGER,
	subject TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	CONSTRAINT pk_custody_case PRIMARY KEY (record_id),
	CONSTRAINT uq_custody_case_case_id UNIQUE (case_id),
	CONSTRAINT uq_custody_case_finding_key_occurrence UNIQUE (finding_key, occurrence),
	CONSTRAINT ck_custody_case_occurrence_counts CHECK (occurrence >= 1),
	CONSTRAINT fk_custody_case_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custody_case_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id)
)
 STRICT;

CREATE TABLE encumbrance_grant (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	kind TEXT NOT NULL,
	owner TEXT NOT NULL,
	asset_key INTEGER NOT NULL,
	spender TEXT NOT NULL,
	base_units TEXT,
	expires_at_seconds INTEGER,
	reason TEXT,
	CONSTRAINT pk_encumbrance_grant PRIMARY KEY (record_id),
	CONSTRAINT uq_encumbrance_grant_sweep_key_kind_owner_asset_key_spender UNIQUE (sweep_key, kind, owner, asset_key, spender),
	CONSTRAINT ck_encumbrance_grant_amount_or_reason CHECK ((base_units IS NULL) = (reason IS NOT NULL)),
	CONSTRAINT fk_encumbrance_grant_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_encumbrance_grant_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_encumbrance_grant_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_encumbrance_grant_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE firm_address (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	label TEXT NOT NULL,
	valid_from TEXT NOT NULL,
	valid_until TEXT,
	tops_up_gas INTEGER NOT NULL,
	CONSTRAINT pk_firm_address PRIMARY KEY (record_id),
	CONSTRAINT fk_firm_address_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_firm_address_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_firm_address_tops_up_gas_flag CHECK (tops_up_gas IN (0, 1))
)
 STRICT;

CREATE INDEX ix_firm_address_chain_id_address ON firm_address (chain_id, address);

CREATE TABLE firm_capital (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	method TEXT NOT NULL,
	net_capital TEXT NOT NULL,
	tentative_net_capital TEXT NOT NULL,
	aggregate_indebtedness TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_firm_capital PRIMARY KEY (record_id),
	CONSTRAINT fk_firm_capital_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_firm_capital_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_firm_capital_net_capital_digits CHECK (net_capital = '0' OR ((net_capital GLOB '[1-9]*' OR net_capital GLOB '-[1-9]*') AND substr(net_capital, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(net_capital, '-')) < 78 OR (length(ltrim(net_capital, '-')) = 78 AND ltrim(net_capital, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_firm_capital_tentative_net_capital_digits CHECK (tentative_net_capital = '0' OR ((tentative_net_capital GLOB '[1-9]*' OR tentative_net_capital GLOB '-[1-9]*') AND substr(tentative_net_capital, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(tentative_net_capital, '-')) < 78 OR (length(ltrim(tentative_net_capital, '-')) = 78 AND ltrim(tentative_net_capital, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_firm_capital_aggregate_indebtedness_digits CHECK (aggregate_indebtedness = '0' OR ((aggregate_indebtedness GLOB '[1-9]*' OR aggregate_indebtedness GLOB '-[1-9]*') AND substr(aggregate_indebtedness, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(aggregate_indebtedness, '-')) < 78 OR (length(ltrim(aggregate_indebtedness, '-')) = 78 AND ltrim(aggregate_indebtedness, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_firm_capital_as_of ON firm_capital (as_of);

CREATE TABLE focus_month_end (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	month_end TEXT NOT NULL,
	customer_credits TEXT NOT NULL,
	pab_credits TEXT NOT NULL,
	filed_on TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_focus_month_end PRIMARY KEY (record_id),
	CONSTRAINT fk_focus_month_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_focus_month_end_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_focus_month_end_customer_credits_digits CHECK (customer_credits = '0' OR ((customer_credits GLOB '[1-9]*' OR customer_credits GLOB '-[1-9]*') AND substr(customer_credits, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(customer_credits, '-')) < 78 OR (length(ltrim(customer_credits, '-')) = 78 AND ltrim(customer_credits, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_focus_month_end_pab_credits_digits CHECK (pab_credits = '0' OR ((pab_credits GLOB '[1-9]*' OR pab_credits GLOB '-[1-9]*') AND substr(pab_credits, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(pab_credits, '-')) < 78 OR (length(ltrim(pab_credits, '-')) = 78 AND ltrim(pab_credits, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_focus_month_end_month_end ON focus_month_end (month_end);

CREATE TABLE key_answer (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	challenge_key INTEGER NOT NULL,
	address TEXT NOT NULL,
	scheme TEXT NOT NULL,
	signature TEXT NOT NULL,
	outcome TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	account_kind TEXT NOT NULL,
	coins TEXT NOT NULL,
	node_id TEXT NOT NULL,
	height INTEGER,
	block_hash TEXT,
	parent_hash TEXT,
	block_time TEXT,
	CONSTRAINT pk_key_answer PRIMARY KEY (record_id),
	CONSTRAINT ck_key_answer_accepted_or_code CHECK ((outcome = 'accepted') = (code = '')),
	CONSTRAINT ck_key_answer_accepted_at_block CHECK (outcome <> 'accepted' OR block_hash IS NOT NULL),
	CONSTRAINT fk_key_answer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_key_answer_challenge_key FOREIGN KEY(challenge_key) REFERENCES key_challenge (record_id)
)
 STRICT;

CREATE INDEX ix_key_answer_challenge_key ON key_answer (challenge_key);

CREATE UNIQUE INDEX uq_key_answer_accepted ON key_answer (challenge_key, address) WHERE outcome = 'accepted';

CREATE TABLE ledger_entry (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	entry_id TEXT NOT NULL,
	client_key INTEGER NOT NULL,
	account_class TEXT NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	base_units TEXT NOT NULL,
	effective_at TEXT NOT NULL,
	kind TEXT NOT NULL,
	corrects TEXT NOT NULL,
	CONSTRAINT pk_ledger_entry PRIMARY KEY (record_id),
	CONSTRAINT uq_ledger_entry_entry_id UNIQUE (entry_id),
	CONSTRAINT fk_ledger_entry_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_ledger_entry_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_ledger_entry_client_key FOREIGN KEY(client_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_ledger_entry_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_ledger_entry_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_ledger_entry_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_ledger_entry_location_key_asset_key ON ledger_entry (location_key, asset_key);

CREATE TABLE lien (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	lien_id TEXT NOT NULL,
	lender TEXT NOT NULL,
	kind TEXT NOT NULL,
	amount TEXT NOT NULL,
	CONSTRAINT pk_lien PRIMARY KEY (record_id),
	CONSTRAINT fk_lien_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_lien_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_lien_amount_digits CHECK (amount = '0' OR ((amount GLOB '[1-9]*' OR amount GLOB '-[1-9]*') AND substr(amount, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(amount, '-')) < 78 OR (length(ltrim(amount, '-')) = 78 AND ltrim(amount, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_lien_as_of ON lien (as_of);

CREATE INDEX ix_lien_lien_id ON lien (lien_id);

CREATE TABLE login (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	person_key INTEGER NOT NULL,
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	CONSTRAINT pk_login PRIMARY KEY (record_id),
	CONSTRAINT fk_login_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_login_person_key FOREIGN KEY(person_key) REFERENCES person (record_id)
)
 STRICT;

CREATE INDEX ix_login_issuer_subject ON login (issuer, subject);

CREATE INDEX ix_login_person_key ON login (person_key);

CREATE TABLE other_amount (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	amount_id TEXT NOT NULL,
	computation TEXT NOT NULL,
	nature TEXT NOT NULL,
	cents TEXT NOT NULL,
	reference TEXT NOT NULL,
	since TEXT,
	CONSTRAINT pk_other_amount PRIMARY KEY (record_id),
	CONSTRAINT fk_other_amount_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_other_amount_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_other_amount_cents_digits CHECK (cents = '0' OR ((cents GLOB '[1-9]*' OR cents GLOB '-[1-9]*') AND substr(cents, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(cents, '-')) < 78 OR (length(ltrim(cents, '-')) = 78 AND ltrim(cents, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_other_amount_as_of ON other_amount (as_of);

CREATE TABLE pab_relief (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	relief_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	account_id TEXT NOT NULL,
	cents TEXT NOT NULL,
	"on" TEXT NOT NULL,
	done_at TEXT,
	free_of_lien INTEGER NOT NULL,
	CONSTRAINT pk_pab_relief PRIMARY KEY (record_id),
	CONSTRAINT fk_pab_relief_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_pab_relief_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_pab_relief_cents_digits CHECK (cents = '0' OR ((cents GLOB '[1-9]*' OR cents GLOB '-[1-9]*') AND substr(cents, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(cents, '-')) < 78 OR (length(ltrim(cents, '-')) = 78 AND ltrim(cents, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_pab_relief_free_of_lien_flag CHECK (free_of_lien IN (0, 1))
)
 STRICT;

CREATE INDEX ix_pab_relief_relief_id ON pab_relief (relief_id);

CREATE TABLE person_state (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	person_key INTEGER NOT NULL,
	name TEXT NOT NULL,
	roles TEXT NOT NULL,
	is_disabled INTEGER NOT NULL,
	CONSTRAINT pk_person_state PRIMARY KEY (record_id),
	CONSTRAINT fk_person_state_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_person_state_person_key FOREIGN KEY(person_key) REFERENCES person (record_id),
	CONSTRAINT ck_person_state_is_disabled_flag CHECK (is_disabled IN (0, 1))
)
 STRICT;

CREATE INDEX ix_person_state_person_key ON person_state (person_key);

CREATE TABLE pool_member (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	pool_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	from_date TEXT NOT NULL,
	to_date TEXT,
	CONSTRAINT pk_pool_member PRIMARY KEY (record_id),
	CONSTRAINT fk_pool_member_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_pool_member_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_pool_member_chain_id_address ON pool_member (chain_id, address);

CREATE TABLE position (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	base_units TEXT NOT NULL,
	as_of TEXT NOT NULL,
	source TEXT NOT NULL,
	stated_by TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	CONSTRAINT pk_position PRIMARY KEY (record_id),
	CONSTRAINT fk_position_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_position_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_position_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_position_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_position_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_position_location_key_asset_key ON position (location_key, asset_key);

CREATE INDEX ix_position_stated_by_statement_id ON position (stated_by, statement_id);

CREATE TABLE price (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	asset_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	price TEXT NOT NULL,
	as_of TEXT NOT NULL,
	source TEXT NOT NULL,
	CONSTRAINT pk_price PRIMARY KEY (record_id),
	CONSTRAINT fk_price_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_price_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_price_asset_id_as_of ON price (asset_id, as_of);

CREATE TABLE reconciliation (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	rail TEXT NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	status TEXT NOT NULL,
	claimed TEXT NOT NULL,
	gas_float_recorded TEXT NOT NULL,
	gas_float_observed TEXT NOT NULL,
	observed TEXT,
	difference TEXT,
	claimed_as_of TEXT,
	observed_as_of TEXT,
	state TEXT NOT NULL,
	anchor TEXT NOT NULL,
	reason TEXT,
	CONSTRAINT pk_reconciliation PRIMARY KEY (record_id),
	CONSTRAINT uq_reconciliation_sweep_key_rail_location_key_asset_key UNIQUE (sweep_key, rail, location_key, asset_key),
	CONSTRAINT ck_reconciliation_difference_of_observed CHECK ((observed IS NULL) = (difference IS NULL)),
	CONSTRAINT fk_reconciliation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reconciliation_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_reconciliation_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_reconciliation_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_reconciliation_claimed_digits CHECK (claimed = '0' OR ((claimed GLOB '[1-9]*' OR claimed GLOB '-[1-9]*') AND substr(claimed, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(claimed, '-')) < 78 OR (length(ltrim(claimed, '-')) = 78 AND ltrim(claimed, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_reconciliation_gas_float_recorded_digits CHECK (gas_float_recorded = '0' OR ((gas_float_recorded GLOB '[1-9]*' OR gas_float_recorded GLOB '-[1-9]*') AND substr(gas_float_recorded, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(gas_float_recorded, '-')) < 78 OR (length(ltrim(gas_float_recorded, '-')) = 78 AND ltrim(gas_float_recorded, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_reconciliation_gas_float_observed_digits CHECK (gas_float_observed = '0' OR ((gas_float_observed GLOB '[1-9]*' OR gas_float_observed GLOB '-[1-9]*') AND substr(gas_float_observed, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(gas_float_observed, '-')) < 78 OR (length(ltrim(gas_float_observed, '-')) = 78 AND ltrim(gas_float_observed, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_reconciliation_observed_digits CHECK (observed = '0' OR ((observed GLOB '[1-9]*' OR observed GLOB '-[1-9]*') AND substr(observed, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(observed, '-')) < 78 OR (length(ltrim(observed, '-')) = 78 AND ltrim(observed, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_reconciliation_difference_digits CHECK (difference = '0' OR ((difference GLOB '[1-9]*' OR difference GLOB '-[1-9]*') AND substr(difference, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(difference, '-')) < 78 OR (length(ltrim(difference, '-')) = 78 AND ltrim(difference, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE reserve_bank_account (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	account_id TEXT NOT NULL,
	effective_from TEXT NOT NULL,
	computation TEXT NOT NULL,
	bank_id TEXT NOT NULL,
	affiliated INTEGER NOT NULL,
	equity_capital TEXT,
	call_report_on TEXT,
	notified_on TEXT,
	no_lien_contract_on TEXT,
	CONSTRAINT pk_reserve_bank_account PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_bank_account_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_bank_account_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_bank_account_affiliated_flag CHECK (affiliated IN (0, 1)),
	CONSTRAINT ck_reserve_bank_account_equity_capital_digits CHECK (equity_capital = '0' OR ((equity_capital GLOB '[1-9]*' OR equity_capital GLOB '-[1-9]*') AND substr(equity_capital, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(equity_capital, '-')) < 78 OR (length(ltrim(equity_capital, '-')) = 78 AND ltrim(equity_capital, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_reserve_bank_account_effective_from ON reserve_bank_account (effective_from);

CREATE TABLE reserve_holding (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	account_id TEXT NOT NULL,
	as_of TEXT NOT NULL,
	holding TEXT NOT NULL,
	kind TEXT NOT NULL,
	market_value TEXT,
	priced_on TEXT,
	statement_id TEXT NOT NULL,
	CONSTRAINT pk_reserve_holding PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_holding_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_holding_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_holding_market_value_digits CHECK (market_value = '0' OR ((market_value GLOB '[1-9]*' OR market_value GLOB '-[1-9]*') AND substr(market_value, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(market_value, '-')) < 78 OR (length(ltrim(market_value, '-')) = 78 AND ltrim(market_value, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_reserve_holding_as_of ON reserve_holding (as_of);

CREATE TABLE reserve_instruction (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	instruction_id TEXT NOT NULL,
	direction TEXT NOT NULL,
	account_id TEXT NOT NULL,
	purpose TEXT NOT NULL,
	cents TEXT NOT NULL,
	actor TEXT NOT NULL,
	text TEXT NOT NULL,
	valid_until TEXT NOT NULL,
	computation_key INTEGER,
	remaining TEXT,
	CONSTRAINT pk_reserve_instruction PRIMARY KEY (record_id),
	CONSTRAINT uq_reserve_instruction_instruction_id UNIQUE (instruction_id),
	CONSTRAINT ck_reserve_instruction_withdrawal_relies_on_computation CHECK (direction <> 'withdrawal' OR (computation_key IS NOT NULL AND remaining IS NOT NULL)),
	CONSTRAINT fk_reserve_instruction_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_instruction_computation_key FOREIGN KEY(computation_key) REFERENCES reserve_computation (record_id),
	CONSTRAINT ck_reserve_instruction_cents_digits CHECK (cents = '0' OR ((cents GLOB '[1-9]*' OR cents GLOB '-[1-9]*') AND substr(cents, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(cents, '-')) < 78 OR (length(ltrim(cents, '-')) = 78 AND ltrim(cents, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_reserve_instruction_remaining_digits CHECK (remaining = '0' OR ((remaining GLOB '[1-9]*' OR remaining GLOB '-[1-9]*') AND substr(remaining, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(remaining, '-')) < 78 OR (length(ltrim(remaining, '-')) = 78 AND ltrim(remaining, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_reserve_instruction_account_id ON reserve_instruction (account_id);

CREATE TABLE reserve_item (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	computation TEXT NOT NULL,
	item INTEGER NOT NULL,
	cents TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_reserve_item PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_item_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_item_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_item_cents_digits CHECK (cents = '0' OR ((cents GLOB '[1-9]*' OR cents GLOB '-[1-9]*') AND substr(cents, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(cents, '-')) < 78 OR (length(ltrim(cents, '-')) = 78 AND ltrim(cents, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_reserve_item_as_of ON reserve_item (as_of);

CREATE TABLE reserve_notice (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	kind TEXT NOT NULL,
	given_on TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_reserve_notice PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_notice_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_notice_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_reserve_notice_given_on ON reserve_notice (given_on);

CREATE TABLE reserve_sweep (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	swept_on TEXT NOT NULL,
	cents TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_reserve_sweep PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_sweep_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_sweep_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_sweep_cents_digits CHECK (cents = '0' OR ((cents GLOB '[1-9]*' OR cents GLOB '-[1-9]*') AND substr(cents, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(cents, '-')) < 78 OR (length(ltrim(cents, '-')) = 78 AND ltrim(cents, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_reserve_sweep_as_of ON reserve_sweep (as_of);

CREATE TABLE restriction (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	question TEXT NOT NULL,
	holder TEXT,
	answer TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_restriction PRIMARY KEY (record_id),
	CONSTRAINT fk_restriction_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_restriction_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_restriction_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id)
)
 STRICT;

CREATE INDEX ix_restriction_sweep_key ON restriction (sweep_key);

CREATE TABLE roll_forward (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	opening_sweep_key INTEGER NOT NULL,
	opening TEXT NOT NULL,
	received TEXT NOT NULL,
	sent TEXT NOT NULL,
	fees TEXT NOT NULL,
	closing TEXT,
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_roll_forward PRIMARY KEY (record_id),
	CONSTRAINT uq_roll_forward_sweep_key_location_key_asset_key UNIQUE (sweep_key, location_key, asset_key),
	CONSTRAINT fk_roll_forward_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_roll_forward_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_roll_forward_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_roll_forward_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT fk_roll_forward_opening_sweep_key FOREIGN KEY(opening_sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT ck_roll_forward_opening_digits CHECK (opening = '0' OR ((opening GLOB '[1-9]*' OR opening GLOB '-[1-9]*') AND substr(opening, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(opening, '-')) < 78 OR (length(ltrim(opening, '-')) = 78 AND ltrim(opening, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_roll_forward_received_digits CHECK (received = '0' OR ((received GLOB '[1-9]*' OR received GLOB '-[1-9]*') AND substr(received, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(received, '-')) < 78 OR (length(ltrim(received, '-')) = 78 AND ltrim(received, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_roll_forward_sent_digits CHECK (sent = '0' OR ((sent GLOB '[1-9]*' OR sent GLOB '-[1-9]*') AND substr(sent, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(sent, '-')) < 78 OR (length(ltrim(sent, '-')) = 78 AND ltrim(sent, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_roll_forward_fees_digits CHECK (fees = '0' OR ((fees GLOB '[1-9]*' OR fees GLOB '-[1-9]*') AND substr(fees, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(fees, '-')) < 78 OR (length(ltrim(fees, '-')) = 78 AND ltrim(fees, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_roll_forward_closing_digits CHECK (closing = '0' OR ((closing GLOB '[1-9]*' OR closing GLOB '-[1-9]*') AND substr(closing, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(closing, '-')) < 78 OR (length(ltrim(closing, '-')) = 78 AND ltrim(closing, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE scheduled_run_end (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	run_key INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	ended_at TEXT NOT NULL,
	exit_code INTEGER NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_scheduled_run_end PRIMARY KEY (record_id),
	CONSTRAINT uq_scheduled_run_end_run_key UNIQUE (run_key),
	CONSTRAINT ck_scheduled_run_end_known CHECK (exit_code IN (0, 1, 2)),
	CONSTRAINT fk_scheduled_run_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_scheduled_run_end_run_key FOREIGN KEY(run_key) REFERENCES scheduled_run (record_id)
)
 STRICT;

CREATE TABLE security_fact (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	security_id TEXT NOT NULL,
	effective_from TEXT NOT NULL,
	exempted INTEGER NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_security_fact PRIMARY KEY (record_id),
	CONSTRAINT fk_security_fact_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_security_fact_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_security_fact_exempted_flag CHECK (exempted IN (0, 1))
)
 STRICT;

CREATE INDEX ix_security_fact_security_id ON security_fact (security_id);

CREATE TABLE shard_plan (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	shard INTEGER NOT NULL,
	first_address TEXT NOT NULL,
	last_address TEXT NOT NULL,
	wallet_count INTEGER NOT NULL,
	holding_count INTEGER NOT NULL,
	holdings_digest TEXT NOT NULL,
	CONSTRAINT pk_shard_plan PRIMARY KEY (record_id),
	CONSTRAINT uq_shard_plan_sweep_key_shard UNIQUE (sweep_key, shard),
	CONSTRAINT fk_shard_plan_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_shard_plan_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE TABLE stated_allocation (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	client_key INTEGER NOT NULL,
	account_class TEXT NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	base_units TEXT NOT NULL,
	as_of TEXT NOT NULL,
	is_gas_float INTEGER NOT NULL,
	CONSTRAINT pk_stated_allocation PRIMARY KEY (record_id),
	CONSTRAINT fk_stated_allocation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_stated_allocation_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_stated_allocation_client_key FOREIGN KEY(client_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_stated_allocation_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_stated_allocation_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_stated_allocation_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_stated_allocation_is_gas_float_flag CHECK (is_gas_float IN (0, 1))
)
 STRICT;

CREATE INDEX ix_stated_allocation_location_key_asset_key_as_of ON stated_allocation (location_key, asset_key, as_of);

CREATE TABLE stock_line (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	as_of TEXT NOT NULL,
	line_id TEXT NOT NULL,
	security_key INTEGER NOT NULL,
	place TEXT NOT NULL,
	side TEXT NOT NULL,
	base_units TEXT NOT NULL,
	price TEXT NOT NULL,
	account_id TEXT NOT NULL,
	location_key INTEGER,
	counterparty TEXT NOT NULL,
	reference TEXT NOT NULL,
	since TEXT,
	contract_value TEXT,
	collateral TEXT,
	confirmed_on TEXT,
	closed INTEGER NOT NULL,
	CONSTRAINT pk_stock_line PRIMARY KEY (record_id),
	CONSTRAINT fk_stock_line_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_stock_line_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_stock_line_security_key FOREIGN KEY(security_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_stock_line_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_stock_line_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_stock_line_contract_value_digits CHECK (contract_value = '0' OR ((contract_value GLOB '[1-9]*' OR contract_value GLOB '-[1-9]*') AND substr(contract_value, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(contract_value, '-')) < 78 OR (length(ltrim(contract_value, '-')) = 78 AND ltrim(contract_value, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_stock_line_collateral_digits CHECK (collateral = '0' OR ((collateral GLOB '[1-9]*' OR collateral GLOB '-[1-9]*') AND substr(collateral, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(collateral, '-')) < 78 OR (length(ltrim(collateral, '-')) = 78 AND ltrim(collateral, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_stock_line_closed_flag CHECK (closed IN (0, 1))
)
 STRICT;

CREATE INDEX ix_stock_line_as_of ON stock_line (as_of);

CREATE INDEX ix_stock_line_line_id ON stock_line (line_id);

CREATE TABLE substitution (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	substitution_id TEXT NOT NULL,
	review_key INTEGER NOT NULL,
	holder_id TEXT NOT NULL,
	from_id TEXT NOT NULL,
	to_id TEXT NOT NULL,
	base_units TEXT NOT NULL,
	before_digest TEXT NOT NULL,
	after_digest TEXT NOT NULL,
	text TEXT NOT NULL,
	maker TEXT NOT NULL,
	CONSTRAINT pk_substitution PRIMARY KEY (record_id),
	CONSTRAINT uq_substitution_substitution_id UNIQUE (substitution_id),
	CONSTRAINT fk_substitution_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_substitution_review_key FOREIGN KEY(review_key) REFERENCES possession_review (record_id),
	CONSTRAINT ck_substitution_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE sweep_answer (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	node_id TEXT NOT NULL,
	method TEXT NOT NULL,
	addresses TEXT NOT NULL,
	asset_ids TEXT NOT NULL,
	decided INTEGER NOT NULL,
	digests TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_sweep_answer PRIMARY KEY (record_id),
	CONSTRAINT fk_sweep_answer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_answer_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE INDEX ix_sweep_answer_sweep_key ON sweep_answer (sweep_key);

CREATE TABLE sweep_header (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	header TEXT NOT NULL,
	CONSTRAINT pk_sweep_header PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_header_sweep_key UNIQUE (sweep_key),
	CONSTRAINT fk_sweep_header_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_header_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE TABLE sweep_proof_node (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	node_key INTEGER NOT NULL,
	CONSTRAINT pk_sweep_proof_node PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_proof_node_sweep_key_node_key UNIQUE (sweep_key, node_key),
	CONSTRAINT fk_sweep_proof_node_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_proof_node_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_sweep_proof_node_node_key FOREIGN KEY(node_key) REFERENCES proof_node (record_id)
)
 STRICT;

CREATE TABLE sweep_shard (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	shard INTEGER NOT NULL,
	observation_count INTEGER NOT NULL,
	failed_count INTEGER NOT NULL,
	CONSTRAINT pk_sweep_shard PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_shard_sweep_key_shard UNIQUE (sweep_key, shard),
	CONSTRAINT fk_sweep_shard_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_shard_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE TABLE token_layout (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	slot_order TEXT NOT NULL,
	mapping_slot TEXT NOT NULL,
	first_bit INTEGER NOT NULL,
	bits INTEGER NOT NULL,
	code_hash TEXT NOT NULL,
	implementation TEXT,
	implementation_slot TEXT,
	implementation_code_hash TEXT NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	approved_at TEXT NOT NULL,
	CONSTRAINT pk_token_layout PRIMARY KEY (record_id),
	CONSTRAINT ck_token_layout_maker_is_not_checker CHECK (requested_by <> approved_by),
	CONSTRAINT fk_token_layout_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_token_layout_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_token_layout_mapping_slot_digits CHECK (mapping_slot = '0' OR ((mapping_slot GLOB '[1-9]*' OR mapping_slot GLOB '-[1-9]*') AND substr(mapping_slot, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(mapping_slot, '-')) < 78 OR (length(ltrim(mapping_slot, '-')) = 78 AND ltrim(mapping_slot, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_token_layout_implementation_slot_digits CHECK (implementation_slot = '0' OR ((implementation_slot GLOB '[1-9]*' OR implementation_slot GLOB '-[1-9]*') AND substr(implementation_slot, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(implementation_slot, '-')) < 78 OR (length(ltrim(implementation_slot, '-')) = 78 AND ltrim(implementation_slot, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_token_layout_asset_id ON token_layout (asset_id);

CREATE TABLE trade (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	trade_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	side TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	base_units TEXT NOT NULL,
	contract_amount TEXT NOT NULL,
	price TEXT NOT NULL,
	trade_date TEXT NOT NULL,
	settlement_date TEXT NOT NULL,
	rail TEXT NOT NULL,
	chain_id TEXT,
	wallet TEXT,
	tx_id TEXT NOT NULL,
	settled_on TEXT,
	CONSTRAINT pk_trade PRIMARY KEY (record_id),
	CONSTRAINT fk_trade_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_trade_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_trade_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_trade_contract_amount_digits CHECK (contract_amount = '0' OR ((contract_amount GLOB '[1-9]*' OR contract_amount GLOB '-[1-9]*') AND substr(contract_amount, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(contract_amount, '-')) < 78 OR (length(ltrim(contract_amount, '-')) = 78 AND ltrim(contract_amount, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_trade_trade_id ON trade (trade_id);

CREATE TABLE transfer_authorization (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	authorization_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	wallet TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	base_units_max TEXT NOT NULL,
	destination TEXT NOT NULL,
	fee_max TEXT,
	valid_from TEXT NOT NULL,
	valid_until TEXT NOT NULL,
	purpose TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	approved_at TEXT NOT NULL,
	reference TEXT NOT NULL,
	client_id TEXT NOT NULL,
	CONSTRAINT pk_transfer_authorization PRIMARY KEY (record_id),
	CONSTRAINT uq_transfer_authorization_authorization_id UNIQUE (authorization_id),
	CONSTRAINT ck_transfer_authorization_maker_is_not_checker CHECK (requested_by <> approved_by),
	CONSTRAINT fk_transfer_authorization_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_transfer_authorization_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_transfer_authorization_base_units_max_digits CHECK (base_units_max = '0' OR ((base_units_max GLOB '[1-9]*' OR base_units_max GLOB '-[1-9]*') AND substr(base_units_max, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units_max, '-')) < 78 OR (length(ltrim(base_units_max, '-')) = 78 AND ltrim(base_units_max, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_transfer_authorization_fee_max_digits CHECK (fee_max = '0' OR ((fee_max GLOB '[1-9]*' OR fee_max GLOB '-[1-9]*') AND substr(fee_max, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(fee_max, '-')) < 78 OR (length(ltrim(fee_max, '-')) = 78 AND ltrim(fee_max, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_transfer_authorization_chain_id_wallet ON transfer_authorization (chain_id, wallet);

CREATE TABLE wallet (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	structure TEXT NOT NULL,
	titling TEXT NOT NULL,
	custodian TEXT NOT NULL,
	mpc_vault TEXT NOT NULL,
	key_scheme TEXT NOT NULL,
	threshold INTEGER NOT NULL,
	share_count INTEGER NOT NULL,
	share_holders TEXT NOT NULL,
	firm_alone_can_sign INTEGER NOT NULL,
	others_can_sign_without_firm INTEGER NOT NULL,
	opened_on TEXT NOT NULL,
	closed_on TEXT,
	gas_float_limit TEXT NOT NULL,
	CONSTRAINT pk_wallet PRIMARY KEY (record_id),
	CONSTRAINT fk_wallet_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_wallet_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_wallet_firm_alone_can_sign_flag CHECK (firm_alone_can_sign IN (0, 1)),
	CONSTRAINT ck_wallet_others_can_sign_without_firm_flag CHECK (others_can_sign_without_firm IN (0, 1)),
	CONSTRAINT ck_wallet_gas_float_limit_digits CHECK (gas_float_limit = '0' OR ((gas_float_limit GLOB '[1-9]*' OR gas_float_limit GLOB '-[1-9]*') AND substr(gas_float_limit, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(gas_float_limit, '-')) < 78 OR (length(ltrim(gas_float_limit, '-')) = 78 AND ltrim(gas_float_limit, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_wallet_chain_id_address ON wallet (chain_id, address);

CREATE TABLE wallet_descriptor (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	file_key INTEGER NOT NULL,
	line INTEGER NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	descriptor TEXT NOT NULL,
	role TEXT NOT NULL,
	birth_height INTEGER,
	look_ahead INTEGER NOT NULL,
	derived INTEGER NOT NULL,
	CONSTRAINT pk_wallet_descriptor PRIMARY KEY (record_id),
	CONSTRAINT fk_wallet_descriptor_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_wallet_descriptor_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
)
 STRICT;

CREATE INDEX ix_wallet_descriptor_chain_id_address ON wallet_descriptor (chain_id, address);

CREATE TABLE web_session (
	digest TEXT NOT NULL,
	session_key TEXT NOT NULL,
	person_key INTEGER NOT NULL,
	method TEXT NOT NULL,
	address TEXT NOT NULL,
	agent TEXT NOT NULL,
	created_at TEXT NOT NULL,
	used_at TEXT NOT NULL,
	expires_at TEXT NOT NULL,
	CONSTRAINT pk_web_session PRIMARY KEY (digest),
	CONSTRAINT uq_web_session_session_key UNIQUE (session_key),
	CONSTRAINT fk_web_session_person_key FOREIGN KEY(person_key) REFERENCES person (record_id)
)
 STRICT;

CREATE INDEX ix_web_session_person_key ON web_session (person_key);

CREATE TABLE approval_candidate (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	scan_key INTEGER NOT NULL,
	kind TEXT NOT NULL,
	owner TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	spender TEXT NOT NULL,
	CONSTRAINT pk_approval_candidate PRIMARY KEY (record_id),
	CONSTRAINT uq_approval_candidate_kind_owner_asset_id_spender UNIQUE (kind, owner, asset_id, spender),
	CONSTRAINT fk_approval_candidate_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_approval_candidate_scan_key FOREIGN KEY(scan_key) REFERENCES approval_scan (record_id)
)
 STRICT;

CREATE TABLE backfill_failure (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	backfill_key INTEGER NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_backfill_failure PRIMARY KEY (record_id),
	CONSTRAINT fk_backfill_failure_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_failure_backfill_key FOREIGN KEY(backfill_key) REFERENCES backfill (record_id)
)
 STRICT;

CREATE INDEX ix_backfill_failure_backfill_key ON backfill_failure (backfill_key);

CREATE TABLE backfill_item (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	backfill_key INTEGER NOT NULL,
	item_key INTEGER NOT NULL,
	CONSTRAINT pk_backfill_item PRIMARY KEY (record_id),
	CONSTRAINT uq_backfill_item_backfill_key_item_key UNIQUE (backfill_key, item_key),
	CONSTRAINT fk_backfill_item_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_item_backfill_key FOREIGN KEY(backfill_key) REFERENCES backfill (record_id),
	CONSTRAINT fk_backfill_item_item_key FOREIGN KEY(item_key) REFERENCES interned_text (record_id)
)
 STRICT;

CREATE TABLE backfill_run (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	backfill_key INTEGER NOT NULL,
	first_covered_key INTEGER NOT NULL,
	last_covered_key INTEGER NOT NULL,
	node_id TEXT NOT NULL,
	mode TEXT NOT NULL,
	mode_note TEXT NOT NULL,
	CONSTRAINT pk_backfill_run PRIMARY KEY (record_id),
	CONSTRAINT uq_backfill_run_backfill_key_last_covered_key UNIQUE (backfill_key, last_covered_key),
	CONSTRAINT fk_backfill_run_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_run_backfill_key FOREIGN KEY(backfill_key) REFERENCES backfill (record_id),
	CONSTRAINT fk_backfill_run_first_covered_key FOREIGN KEY(first_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_backfill_run_last_covered_key FOREIGN KEY(last_covered_key) REFERENCES covered_block (record_id)
)
 STRICT;

CREATE TABLE case_event (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	case_key INTEGER NOT NULL,
	act TEXT NOT NULL,
	actor TEXT NOT NULL,
	sweep_key INTEGER,
	base_units TEXT,
	text TEXT NOT NULL,
	height INTEGER,
	block_hash TEXT,
	parent_hash TEXT,
	block_time TEXT,
	tx_id TEXT NOT NULL,
	provisional INTEGER NOT NULL,
	proposal_key INTEGER,
	maker TEXT,
	maker_person TEXT,
	person_id TEXT,
	facts_digest TEXT,
	seen_digest TEXT,
	detail TEXT,
	CONSTRAINT pk_case_event PRIMARY KEY (record_id),
	CONSTRAINT uq_case_event_case_key_act_sweep_key UNIQUE (case_key, act, sweep_key),
	CONSTRAINT ck_case_event_decision_names_proposal CHECK (act NOT IN ('approved', 'endorsed', 'returned') OR (maker IS NOT NULL AND proposal_key IS NOT NULL)),
	CONSTRAINT ck_case_event_maker_is_not_checker CHECK (act NOT IN ('approved', 'endorsed') OR maker <> actor),
	CONSTRAINT ck_case_event_maker_is_another_person CHECK (act NOT IN ('approved', 'endorsed') OR maker_person IS NULL OR person_id IS NULL OR maker_person <> person_id),
	CONSTRAINT ck_case_event_decision_is_bound CHECK (act NOT IN ('proposed', 'approved', 'endorsed') OR (facts_digest IS NOT NULL AND seen_digest IS NOT NULL)),
	CONSTRAINT fk_case_event_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_case_event_case_key FOREIGN KEY(case_key) REFERENCES custody_case (record_id),
	CONSTRAINT fk_case_event_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_case_event_proposal_key FOREIGN KEY(proposal_key) REFERENCES case_event (record_id),
	CONSTRAINT ck_case_event_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935')))),
	CONSTRAINT ck_case_event_provisional_flag CHECK (provisional IN (0, 1))
)
 STRICT;

CREATE INDEX ix_case_event_case_key ON case_event (case_key);

CREATE TABLE control_decision (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	act_key INTEGER,
	substitution_key INTEGER,
	act TEXT NOT NULL,
	maker TEXT NOT NULL,
	checker TEXT NOT NULL,
	before_digest TEXT NOT NULL,
	after_digest TEXT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_control_decision PRIMARY KEY (record_id),
	CONSTRAINT uq_control_decision_act_key UNIQUE (act_key),
	CONSTRAINT uq_control_decision_substitution_key UNIQUE (substitution_key),
	CONSTRAINT ck_control_decision_decides_one_thing CHECK ((act_key IS NULL) <> (substitution_key IS NULL)),
	CONSTRAINT ck_control_decision_maker_is_not_checker CHECK (act <> 'approved' OR maker <> checker),
	CONSTRAINT fk_control_decision_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_control_decision_act_key FOREIGN KEY(act_key) REFERENCES cure_act (record_id),
	CONSTRAINT fk_control_decision_substitution_key FOREIGN KEY(substitution_key) REFERENCES substitution (record_id)
)
 STRICT;

CREATE TABLE credential (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	person_key INTEGER,
	login_key INTEGER,
	kind TEXT NOT NULL,
	label TEXT NOT NULL,
	digest TEXT NOT NULL,
	content TEXT NOT NULL,
	expires_at TEXT,
	CONSTRAINT pk_credential PRIMARY KEY (record_id),
	CONSTRAINT fk_credential_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_credential_person_key FOREIGN KEY(person_key) REFERENCES person (record_id),
	CONSTRAINT fk_credential_login_key FOREIGN KEY(login_key) REFERENCES login (record_id)
)
 STRICT;

CREATE INDEX ix_credential_digest ON credential (digest);

CREATE INDEX ix_credential_person_key ON credential (person_key);

CREATE TABLE cure_receipt (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	act_key INTEGER NOT NULL,
	kind TEXT NOT NULL,
	reference TEXT NOT NULL,
	digest TEXT NOT NULL,
	received_on TEXT NOT NULL,
	actor TEXT NOT NULL,
	CONSTRAINT pk_cure_receipt PRIMARY KEY (record_id),
	CONSTRAINT fk_cure_receipt_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_cure_receipt_act_key FOREIGN KEY(act_key) REFERENCES cure_act (record_id)
)
 STRICT;

CREATE INDEX ix_cure_receipt_act_key ON cure_receipt (act_key);

CREATE TABLE encumbrance_review (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	node_id TEXT NOT NULL,
	failure TEXT NOT NULL,
	scan_key INTEGER,
	compared_sweep_key INTEGER,
	controls_sweep_key INTEGER,
	assets TEXT NOT NULL,
	wallets_asked INTEGER NOT NULL,
	pairs_asked INTEGER NOT NULL,
	restrictions_asked INTEGER NOT NULL,
	CONSTRAINT pk_encumbrance_review PRIMARY KEY (record_id),
	CONSTRAINT uq_encumbrance_review_sweep_key UNIQUE (sweep_key),
	CONSTRAINT ck_encumbrance_review_answers_or_failure CHECK ((failure = '') = (scan_key IS NOT NULL)),
	CONSTRAINT fk_encumbrance_review_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_encumbrance_review_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_encumbrance_review_scan_key FOREIGN KEY(scan_key) REFERENCES approval_scan (record_id),
	CONSTRAINT fk_encumbrance_review_compared_sweep_key FOREIGN KEY(compared_sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_encumbrance_review_controls_sweep_key FOREIGN KEY(controls_sweep_key) REFERENCES sweep (record_id)
)
 STRICT;

CREATE TABLE login_end (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	login_key INTEGER NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_login_end PRIMARY KEY (record_id),
	CONSTRAINT uq_login_end_login_key UNIQUE (login_key),
	CONSTRAINT fk_login_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_login_end_login_key FOREIGN KEY(login_key) REFERENCES login (record_id)
)
 STRICT;

CREATE TABLE orphaned_block (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	covered_key INTEGER NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_orphaned_block PRIMARY KEY (record_id),
	CONSTRAINT uq_orphaned_block_covered_key UNIQUE (covered_key),
	CONSTRAINT fk_orphaned_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_orphaned_block_covered_key FOREIGN KEY(covered_key) REFERENCES covered_block (record_id)
)
 STRICT;

CREATE TABLE proof_gap (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	shard_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	reason TEXT NOT NULL,
	holdings INTEGER NOT NULL,
	CONSTRAINT pk_proof_gap PRIMARY KEY (record_id),
	CONSTRAINT uq_proof_gap_shard_key_asset_key_reason UNIQUE (shard_key, asset_key, reason),
	CONSTRAINT fk_proof_gap_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_proof_gap_shard_key FOREIGN KEY(shard_key) REFERENCES sweep_shard (record_id),
	CONSTRAINT fk_proof_gap_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id)
)
 STRICT;

CREATE TABLE reserve_decision (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	instruction_key INTEGER NOT NULL,
	act TEXT NOT NULL,
	actor TEXT NOT NULL,
	maker TEXT NOT NULL,
	text TEXT NOT NULL,
	computation_key INTEGER,
	remaining TEXT,
	CONSTRAINT pk_reserve_decision PRIMARY KEY (record_id),
	CONSTRAINT uq_reserve_decision_instruction_key UNIQUE (instruction_key),
	CONSTRAINT ck_reserve_decision_maker_is_not_checker CHECK (act <> 'approved' OR maker <> actor),
	CONSTRAINT fk_reserve_decision_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_decision_instruction_key FOREIGN KEY(instruction_key) REFERENCES reserve_instruction (record_id),
	CONSTRAINT fk_reserve_decision_computation_key FOREIGN KEY(computation_key) REFERENCES reserve_computation (record_id),
	CONSTRAINT ck_reserve_decision_remaining_digits CHECK (remaining = '0' OR ((remaining GLOB '[1-9]*' OR remaining GLOB '-[1-9]*') AND substr(remaining, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(remaining, '-')) < 78 OR (length(ltrim(remaining, '-')) = 78 AND ltrim(remaining, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE shard_failure (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	plan_key INTEGER NOT NULL,
	node_id TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_shard_failure PRIMARY KEY (record_id),
	CONSTRAINT fk_shard_failure_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_shard_failure_plan_key FOREIGN KEY(plan_key) REFERENCES shard_plan (record_id)
)
 STRICT;

CREATE INDEX ix_shard_failure_plan_key ON shard_failure (plan_key);

CREATE TABLE statement_check (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	reconciliation_key INTEGER NOT NULL,
	base_units TEXT NOT NULL,
	as_of TEXT NOT NULL,
	stated_by TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_statement_check PRIMARY KEY (record_id),
	CONSTRAINT uq_statement_check_reconciliation_key UNIQUE (reconciliation_key),
	CONSTRAINT fk_statement_check_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_statement_check_reconciliation_key FOREIGN KEY(reconciliation_key) REFERENCES reconciliation (record_id),
	CONSTRAINT ck_statement_check_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE TABLE traced_block (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	covered_key INTEGER NOT NULL,
	method TEXT NOT NULL,
	node_id TEXT NOT NULL,
	transfer_count INTEGER NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_traced_block PRIMARY KEY (record_id),
	CONSTRAINT uq_traced_block_sweep_key_covered_key UNIQUE (sweep_key, covered_key),
	CONSTRAINT ck_traced_block_method_or_note CHECK ((method = '') = (note <> '')),
	CONSTRAINT fk_traced_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_traced_block_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_traced_block_covered_key FOREIGN KEY(covered_key) REFERENCES covered_block (record_id)
)
 STRICT;

CREATE TABLE transfer (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	covered_key INTEGER NOT NULL,
	tx_id TEXT NOT NULL,
	log_index INTEGER NOT NULL,
	kind TEXT NOT NULL,
	asset_key INTEGER NOT NULL,
	sender TEXT,
	receiver TEXT,
	base_units TEXT NOT NULL,
	CONSTRAINT pk_transfer PRIMARY KEY (record_id),
	CONSTRAINT uq_transfer_covered_key_tx_id_kind_log_index UNIQUE (covered_key, tx_id, kind, log_index),
	CONSTRAINT fk_transfer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_transfer_covered_key FOREIGN KEY(covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_transfer_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_transfer_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_transfer_receiver ON transfer (receiver);

CREATE INDEX ix_transfer_sender ON transfer (sender);

CREATE TABLE unparsed_events (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	first_covered_key INTEGER NOT NULL,
	last_covered_key INTEGER NOT NULL,
	asset_id TEXT NOT NULL,
	event_count INTEGER NOT NULL,
	CONSTRAINT pk_unparsed_events PRIMARY KEY (record_id),
	CONSTRAINT uq_unparsed_events_last_covered_key_asset_id UNIQUE (last_covered_key, asset_id),
	CONSTRAINT fk_unparsed_events_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_unparsed_events_first_covered_key FOREIGN KEY(first_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_unparsed_events_last_covered_key FOREIGN KEY(last_covered_key) REFERENCES covered_block (record_id)
)
 STRICT;

CREATE TABLE weaker_scan (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	first_covered_key INTEGER NOT NULL,
	last_covered_key INTEGER NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_weaker_scan PRIMARY KEY (record_id),
	CONSTRAINT uq_weaker_scan_last_covered_key UNIQUE (last_covered_key),
	CONSTRAINT fk_weaker_scan_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_weaker_scan_first_covered_key FOREIGN KEY(first_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_weaker_scan_last_covered_key FOREIGN KEY(last_covered_key) REFERENCES covered_block (record_id)
)
 STRICT;

CREATE TABLE account_secret (
	credential_key INTEGER NOT NULL,
	secret TEXT NOT NULL,
	counter INTEGER NOT NULL,
	CONSTRAINT pk_account_secret PRIMARY KEY (credential_key),
	CONSTRAINT fk_account_secret_credential_key FOREIGN KEY(credential_key) REFERENCES credential (record_id)
)
 STRICT;

CREATE TABLE backfill_unparsed (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	run_key INTEGER NOT NULL,
	asset_id TEXT NOT NULL,
	event_count INTEGER NOT NULL,
	CONSTRAINT pk_backfill_unparsed PRIMARY KEY (record_id),
	CONSTRAINT uq_backfill_unparsed_run_key_asset_id UNIQUE (run_key, asset_id),
	CONSTRAINT fk_backfill_unparsed_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_unparsed_run_key FOREIGN KEY(run_key) REFERENCES backfill_run (record_id)
)
 STRICT;

CREATE TABLE backfilled_transfer (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	run_key INTEGER NOT NULL,
	transfer_key INTEGER NOT NULL,
	CONSTRAINT pk_backfilled_transfer PRIMARY KEY (record_id),
	CONSTRAINT uq_backfilled_transfer_run_key_transfer_key UNIQUE (run_key, transfer_key),
	CONSTRAINT fk_backfilled_transfer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfilled_transfer_run_key FOREIGN KEY(run_key) REFERENCES backfill_run (record_id),
	CONSTRAINT fk_backfilled_transfer_transfer_key FOREIGN KEY(transfer_key) REFERENCES transfer (record_id)
)
 STRICT;

CREATE TABLE case_cover (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	event_key INTEGER NOT NULL,
	location_key INTEGER NOT NULL,
	asset_key INTEGER NOT NULL,
	CONSTRAINT pk_case_cover PRIMARY KEY (record_id),
	CONSTRAINT uq_case_cover_event_key_location_key_asset_key UNIQUE (event_key, location_key, asset_key),
	CONSTRAINT fk_case_cover_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_case_cover_event_key FOREIGN KEY(event_key) REFERENCES case_event (record_id),
	CONSTRAINT fk_case_cover_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_case_cover_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id)
)
 STRICT;

CREATE TABLE credential_end (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	credential_key INTEGER NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_credential_end PRIMARY KEY (record_id),
	CONSTRAINT uq_credential_end_credential_key UNIQUE (credential_key),
	CONSTRAINT fk_credential_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_credential_end_credential_key FOREIGN KEY(credential_key) REFERENCES credential (record_id)
)
 STRICT;

CREATE TABLE sweep_end (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	recorded_at TEXT NOT NULL,
	sweep_key INTEGER NOT NULL,
	abandoned TEXT NOT NULL,
	expected INTEGER NOT NULL,
	matched INTEGER NOT NULL,
	diverged INTEGER NOT NULL,
	unverified INTEGER NOT NULL,
	transfers_scanned INTEGER NOT NULL,
	transfers_outgoing INTEGER NOT NULL,
	transfers_not_matched INTEGER NOT NULL,
	transfers_change INTEGER NOT NULL,
	first_height INTEGER,
	last_height INTEGER,
	judged_covered_key INTEGER,
	judged_run_key INTEGER,
	judged_transfer_key INTEGER,
	CONSTRAINT pk_sweep_end PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_end_sweep_key UNIQUE (sweep_key),
	CONSTRAINT ck_sweep_end_every_holding_accounted_for CHECK (abandoned <> '' OR matched + diverged + unverified = expected),
	CONSTRAINT fk_sweep_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_end_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_sweep_end_judged_covered_key FOREIGN KEY(judged_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_sweep_end_judged_run_key FOREIGN KEY(judged_run_key) REFERENCES backfill_run (record_id),
	CONSTRAINT fk_sweep_end_judged_transfer_key FOREIGN KEY(judged_transfer_key) REFERENCES transfer (record_id)
)
 STRICT;

CREATE TABLE transfer_match (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	transfer_key INTEGER NOT NULL,
	sweep_key INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	authorization_id TEXT NOT NULL,
	commingling INTEGER NOT NULL,
	for_review INTEGER NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_transfer_match PRIMARY KEY (record_id),
	CONSTRAINT uq_transfer_match_transfer_key UNIQUE (transfer_key),
	CONSTRAINT fk_transfer_match_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_transfer_match_transfer_key FOREIGN KEY(transfer_key) REFERENCES transfer (record_id),
	CONSTRAINT fk_transfer_match_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT ck_transfer_match_commingling_flag CHECK (commingling IN (0, 1)),
	CONSTRAINT ck_transfer_match_for_review_flag CHECK (for_review IN (0, 1))
)
 STRICT;

CREATE INDEX ix_transfer_match_authorization_id ON transfer_match (authorization_id);

CREATE TABLE approval_use (
	record_id INTEGER NOT NULL,
	journal_sequence INTEGER NOT NULL,
	match_key INTEGER NOT NULL,
	authorization_id TEXT NOT NULL,
	base_units TEXT NOT NULL,
	CONSTRAINT pk_approval_use PRIMARY KEY (record_id),
	CONSTRAINT uq_approval_use_match_key_authorization_id UNIQUE (match_key, authorization_id),
	CONSTRAINT fk_approval_use_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_approval_use_match_key FOREIGN KEY(match_key) REFERENCES transfer_match (record_id),
	CONSTRAINT ck_approval_use_base_units_digits CHECK (base_units = '0' OR ((base_units GLOB '[1-9]*' OR base_units GLOB '-[1-9]*') AND substr(base_units, 2) NOT GLOB '*[^0-9]*' AND (length(ltrim(base_units, '-')) < 78 OR (length(ltrim(base_units, '-')) = 78 AND ltrim(base_units, '-') <= '115792089237316195423570985008687907853269984665640564039457584007913129639935'))))
)
 STRICT;

CREATE INDEX ix_approval_use_authorization_id ON approval_use (authorization_id);

CREATE TRIGGER journal_entry_refuse_update BEFORE UPDATE ON journal_entry
BEGIN SELECT RAISE(ABORT, 'rows of journal_entry are added, never changed'); END;

CREATE TRIGGER journal_entry_refuse_delete BEFORE DELETE ON journal_entry
BEGIN SELECT RAISE(ABORT, 'rows of journal_entry are added, never changed'); END;

CREATE TRIGGER archived_refuse_update BEFORE UPDATE ON archived
BEGIN SELECT RAISE(ABORT, 'rows of archived are added, never changed'); END;

CREATE TRIGGER archived_refuse_delete BEFORE DELETE ON archived
BEGIN SELECT RAISE(ABORT, 'rows of archived are added, never changed'); END;

CREATE TRIGGER asset_value_refuse_update BEFORE UPDATE ON asset_value
BEGIN SELECT RAISE(ABORT, 'rows of asset_value are added, never changed'); END;

CREATE TRIGGER asset_value_refuse_delete BEFORE DELETE ON asset_value
BEGIN SELECT RAISE(ABORT, 'rows of asset_value are added, never changed'); END;

CREATE TRIGGER attachment_content_refuse_update BEFORE UPDATE ON attachment_content
BEGIN SELECT RAISE(ABORT, 'rows of attachment_content are added, never changed'); END;

CREATE TRIGGER attachment_content_refuse_delete BEFORE DELETE ON attachment_content
BEGIN SELECT RAISE(ABORT, 'rows of attachment_content are added, never changed'); END;

CREATE TRIGGER bundle_issued_refuse_update BEFORE UPDATE ON bundle_issued
BEGIN SELECT RAISE(ABORT, 'rows of bundle_issued are added, never changed'); END;

CREATE TRIGGER bundle_issued_refuse_delete BEFORE DELETE ON bundle_issued
BEGIN SELECT RAISE(ABORT, 'rows of bundle_issued are added, never changed'); END;

CREATE TRIGGER chain_halt_refuse_update BEFORE UPDATE ON chain_halt
BEGIN SELECT RAISE(ABORT, 'rows of chain_halt are added, never changed'); END;

CREATE TRIGGER chain_halt_refuse_delete BEFORE DELETE ON chain_halt
BEGIN SELECT RAISE(ABORT, 'rows of chain_halt are added, never changed'); END;

CREATE TRIGGER change_proposal_refuse_update BEFORE UPDATE ON change_proposal
BEGIN SELECT RAISE(ABORT, 'rows of change_proposal are added, never changed'); END;

CREATE TRIGGER change_proposal_refuse_delete BEFORE DELETE ON change_proposal
BEGIN SELECT RAISE(ABORT, 'rows of change_proposal are added, never changed'); END;

CREATE TRIGGER custodian_statement_refuse_update BEFORE UPDATE ON custodian_statement
BEGIN SELECT RAISE(ABORT, 'rows of custodian_statement are added, never changed'); END;

CREATE TRIGGER custodian_statement_refuse_delete BEFORE DELETE ON custodian_statement
BEGIN SELECT RAISE(ABORT, 'rows of custodian_statement are added, never changed'); END;

CREATE TRIGGER daily_report_refuse_update BEFORE UPDATE ON daily_report
BEGIN SELECT RAISE(ABORT, 'rows of daily_report are added, never changed'); END;

CREATE TRIGGER daily_report_refuse_delete BEFORE DELETE ON daily_report
BEGIN SELECT RAISE(ABORT, 'rows of daily_report are added, never changed'); END;

CREATE TRIGGER exception_review_refuse_update BEFORE UPDATE ON exception_review
BEGIN SELECT RAISE(ABORT, 'rows of exception_review are added, never changed'); END;

CREATE TRIGGER exception_review_refuse_delete BEFORE DELETE ON exception_review
BEGIN SELECT RAISE(ABORT, 'rows of exception_review are added, never changed'); END;

CREATE TRIGGER folder_file_refuse_update BEFORE UPDATE ON folder_file
BEGIN SELECT RAISE(ABORT, 'rows of folder_file are added, never changed'); END;

CREATE TRIGGER folder_file_refuse_delete BEFORE DELETE ON folder_file
BEGIN SELECT RAISE(ABORT, 'rows of folder_file are added, never changed'); END;

CREATE TRIGGER imported_file_refuse_update BEFORE UPDATE ON imported_file
BEGIN SELECT RAISE(ABORT, 'rows of imported_file are added, never changed'); END;

CREATE TRIGGER imported_file_refuse_delete BEFORE DELETE ON imported_file
BEGIN SELECT RAISE(ABORT, 'rows of imported_file are added, never changed'); END;

CREATE TRIGGER interned_text_refuse_update BEFORE UPDATE ON interned_text
BEGIN SELECT RAISE(ABORT, 'rows of interned_text are added, never changed'); END;

CREATE TRIGGER interned_text_refuse_delete BEFORE DELETE ON interned_text
BEGIN SELECT RAISE(ABORT, 'rows of interned_text are added, never changed'); END;

CREATE TRIGGER journal_seal_refuse_update BEFORE UPDATE ON journal_seal
BEGIN SELECT RAISE(ABORT, 'rows of journal_seal are added, never changed'); END;

CREATE TRIGGER journal_seal_refuse_delete BEFORE DELETE ON journal_seal
BEGIN SELECT RAISE(ABORT, 'rows of journal_seal are added, never changed'); END;

CREATE TRIGGER key_challenge_refuse_update BEFORE UPDATE ON key_challenge
BEGIN SELECT RAISE(ABORT, 'rows of key_challenge are added, never changed'); END;

CREATE TRIGGER key_challenge_refuse_delete BEFORE DELETE ON key_challenge
BEGIN SELECT RAISE(ABORT, 'rows of key_challenge are added, never changed'); END;

CREATE TRIGGER node_answer_refuse_update BEFORE UPDATE ON node_answer
BEGIN SELECT RAISE(ABORT, 'rows of node_answer are added, never changed'); END;

CREATE TRIGGER node_answer_refuse_delete BEFORE DELETE ON node_answer
BEGIN SELECT RAISE(ABORT, 'rows of node_answer are added, never changed'); END;

CREATE TRIGGER node_capability_refuse_update BEFORE UPDATE ON node_capability
BEGIN SELECT RAISE(ABORT, 'rows of node_capability are added, never changed'); END;

CREATE TRIGGER node_capability_refuse_delete BEFORE DELETE ON node_capability
BEGIN SELECT RAISE(ABORT, 'rows of node_capability are added, never changed'); END;

CREATE TRIGGER person_refuse_update BEFORE UPDATE ON person
BEGIN SELECT RAISE(ABORT, 'rows of person are added, never changed'); END;

CREATE TRIGGER person_refuse_delete BEFORE DELETE ON person
BEGIN SELECT RAISE(ABORT, 'rows of person are added, never changed'); END;

CREATE TRIGGER possession_review_refuse_update BEFORE UPDATE ON possession_review
BEGIN SELECT RAISE(ABORT, 'rows of possession_review are added, never changed'); END;

CREATE TRIGGER possession_review_refuse_delete BEFORE DELETE ON possession_review
BEGIN SELECT RAISE(ABORT, 'rows of possession_review are added, never changed'); END;

CREATE TRIGGER proof_node_refuse_update BEFORE UPDATE ON proof_node
BEGIN SELECT RAISE(ABORT, 'rows of proof_node are added, never changed'); END;

CREATE TRIGGER proof_node_refuse_delete BEFORE DELETE ON proof_node
BEGIN SELECT RAISE(ABORT, 'rows of proof_node are added, never changed'); END;

CREATE TRIGGER pulled_file_refuse_update BEFORE UPDATE ON pulled_file
BEGIN SELECT RAISE(ABORT, 'rows of pulled_file are added, never changed'); END;

CREATE TRIGGER pulled_file_refuse_delete BEFORE DELETE ON pulled_file
BEGIN SELECT RAISE(ABORT, 'rows of pulled_file are added, never changed'); END;

CREATE TRIGGER reading_refuse_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE(ABORT, 'rows of reading are added, never changed'); END;

CREATE TRIGGER reading_refuse_delete BEFORE DELETE ON reading
BEGIN SELECT RAISE(ABORT, 'rows of reading are added, never changed'); END;

CREATE TRIGGER reserve_computation_refuse_update BEFORE UPDATE ON reserve_computation
BEGIN SELECT RAISE(ABORT, 'rows of reserve_computation are added, never changed'); END;

CREATE TRIGGER reserve_computation_refuse_delete BEFORE DELETE ON reserve_computation
BEGIN SELECT RAISE(ABORT, 'rows of reserve_computation are added, never changed'); END;

CREATE TRIGGER scheduled_run_refuse_update BEFORE UPDATE ON scheduled_run
BEGIN SELECT RAISE(ABORT, 'rows of scheduled_run are added, never changed'); END;

CREATE TRIGGER scheduled_run_refuse_delete BEFORE DELETE ON scheduled_run
BEGIN SELECT RAISE(ABORT, 'rows of scheduled_run are added, never changed'); END;

CREATE TRIGGER securities_run_refuse_update BEFORE UPDATE ON securities_run
BEGIN SELECT RAISE(ABORT, 'rows of securities_run are added, never changed'); END;

CREATE TRIGGER securities_run_refuse_delete BEFORE DELETE ON securities_run
BEGIN SELECT RAISE(ABORT, 'rows of securities_run are added, never changed'); END;

CREATE TRIGGER sweep_refuse_update BEFORE UPDATE ON sweep
BEGIN SELECT RAISE(ABORT, 'rows of sweep are added, never changed'); END;

CREATE TRIGGER sweep_refuse_delete BEFORE DELETE ON sweep
BEGIN SELECT RAISE(ABORT, 'rows of sweep are added, never changed'); END;

CREATE TRIGGER sweep_failure_refuse_update BEFORE UPDATE ON sweep_failure
BEGIN SELECT RAISE(ABORT, 'rows of sweep_failure are added, never changed'); END;

CREATE TRIGGER sweep_failure_refuse_delete BEFORE DELETE ON sweep_failure
BEGIN SELECT RAISE(ABORT, 'rows of sweep_failure are added, never changed'); END;

CREATE TRIGGER trade_settlement_refuse_update BEFORE UPDATE ON trade_settlement
BEGIN SELECT RAISE(ABORT, 'rows of trade_settlement are added, never changed'); END;

CREATE TRIGGER trade_settlement_refuse_delete BEFORE DELETE ON trade_settlement
BEGIN SELECT RAISE(ABORT, 'rows of trade_settlement are added, never changed'); END;

CREATE TRIGGER transaction_proof_refuse_update BEFORE UPDATE ON transaction_proof
BEGIN SELECT RAISE(ABORT, 'rows of transaction_proof are added, never changed'); END;

CREATE TRIGGER transaction_proof_refuse_delete BEFORE DELETE ON transaction_proof
BEGIN SELECT RAISE(ABORT, 'rows of transaction_proof are added, never changed'); END;

CREATE TRIGGER accepted_control_refuse_update BEFORE UPDATE ON accepted_control
BEGIN SELECT RAISE(ABORT, 'rows of accepted_control are added, never changed'); END;

CREATE TRIGGER accepted_control_refuse_delete BEFORE DELETE ON accepted_control
BEGIN SELECT RAISE(ABORT, 'rows of accepted_control are added, never changed'); END;

CREATE TRIGGER account_balance_refuse_update BEFORE UPDATE ON account_balance
BEGIN SELECT RAISE(ABORT, 'rows of account_balance are added, never changed'); END;

CREATE TRIGGER account_balance_refuse_delete BEFORE DELETE ON account_balance
BEGIN SELECT RAISE(ABORT, 'rows of account_balance are added, never changed'); END;

CREATE TRIGGER account_relation_refuse_update BEFORE UPDATE ON account_relation
BEGIN SELECT RAISE(ABORT, 'rows of account_relation are added, never changed'); END;

CREATE TRIGGER account_relation_refuse_delete BEFORE DELETE ON account_relation
BEGIN SELECT RAISE(ABORT, 'rows of account_relation are added, never changed'); END;

CREATE TRIGGER approval_scan_refuse_update BEFORE UPDATE ON approval_scan
BEGIN SELECT RAISE(ABORT, 'rows of approval_scan are added, never changed'); END;

CREATE TRIGGER approval_scan_refuse_delete BEFORE DELETE ON approval_scan
BEGIN SELECT RAISE(ABORT, 'rows of approval_scan are added, never changed'); END;

CREATE TRIGGER asset_refuse_update BEFORE UPDATE ON asset
BEGIN SELECT RAISE(ABORT, 'rows of asset are added, never changed'); END;

CREATE TRIGGER asset_refuse_delete BEFORE DELETE ON asset
BEGIN SELECT RAISE(ABORT, 'rows of asset are added, never changed'); END;

CREATE TRIGGER backfill_refuse_update BEFORE UPDATE ON backfill
BEGIN SELECT RAISE(ABORT, 'rows of backfill are added, never changed'); END;

CREATE TRIGGER backfill_refuse_delete BEFORE DELETE ON backfill
BEGIN SELECT RAISE(ABORT, 'rows of backfill are added, never changed'); END;

CREATE TRIGGER balance_observation_refuse_update BEFORE UPDATE ON balance_observation
BEGIN SELECT RAISE(ABORT, 'rows of balance_observation are added, never changed'); END;

CREATE TRIGGER balance_observation_refuse_delete BEFORE DELETE ON balance_observation
BEGIN SELECT RAISE(ABORT, 'rows of balance_observation are added, never changed'); END;

CREATE TRIGGER bank_movement_refuse_update BEFORE UPDATE ON bank_movement
BEGIN SELECT RAISE(ABORT, 'rows of bank_movement are added, never changed'); END;

CREATE TRIGGER bank_movement_refuse_delete BEFORE DELETE ON bank_movement
BEGIN SELECT RAISE(ABORT, 'rows of bank_movement are added, never changed'); END;

CREATE TRIGGER books_close_refuse_update BEFORE UPDATE ON books_close
BEGIN SELECT RAISE(ABORT, 'rows of books_close are added, never changed'); END;

CREATE TRIGGER books_close_refuse_delete BEFORE DELETE ON books_close
BEGIN SELECT RAISE(ABORT, 'rows of books_close are added, never changed'); END;

CREATE TRIGGER bundle_block_refuse_update BEFORE UPDATE ON bundle_block
BEGIN SELECT RAISE(ABORT, 'rows of bundle_block are added, never changed'); END;

CREATE TRIGGER bundle_block_refuse_delete BEFORE DELETE ON bundle_block
BEGIN SELECT RAISE(ABORT, 'rows of bundle_block are added, never changed'); END;

CREATE TRIGGER change_decision_refuse_update BEFORE UPDATE ON change_decision
BEGIN SELECT RAISE(ABORT, 'rows of change_decision are added, never changed'); END;

CREATE TRIGGER change_decision_refuse_delete BEFORE DELETE ON change_decision
BEGIN SELECT RAISE(ABORT, 'rows of change_decision are added, never changed'); END;

CREATE TRIGGER change_search_refuse_update BEFORE UPDATE ON change_search
BEGIN SELECT RAISE(ABORT, 'rows of change_search are added, never changed'); END;

CREATE TRIGGER change_search_refuse_delete BEFORE DELETE ON change_search
BEGIN SELECT RAISE(ABORT, 'rows of change_search are added, never changed'); END;

CREATE TRIGGER change_step_refuse_update BEFORE UPDATE ON change_step
BEGIN SELECT RAISE(ABORT, 'rows of change_step are added, never changed'); END;

CREATE TRIGGER change_step_refuse_delete BEFORE DELETE ON change_step
BEGIN SELECT RAISE(ABORT, 'rows of change_step are added, never changed'); END;

CREATE TRIGGER clearing_agency_refuse_update BEFORE UPDATE ON clearing_agency
BEGIN SELECT RAISE(ABORT, 'rows of clearing_agency are added, never changed'); END;

CREATE TRIGGER clearing_agency_refuse_delete BEFORE DELETE ON clearing_agency
BEGIN SELECT RAISE(ABORT, 'rows of clearing_agency are added, never changed'); END;

CREATE TRIGGER clearing_margin_refuse_update BEFORE UPDATE ON clearing_margin
BEGIN SELECT RAISE(ABORT, 'rows of clearing_margin are added, never changed'); END;

CREATE TRIGGER clearing_margin_refuse_delete BEFORE DELETE ON clearing_margin
BEGIN SELECT RAISE(ABORT, 'rows of clearing_margin are added, never changed'); END;

CREATE TRIGGER client_refuse_update BEFORE UPDATE ON client
BEGIN SELECT RAISE(ABORT, 'rows of client are added, never changed'); END;

CREATE TRIGGER client_refuse_delete BEFORE DELETE ON client
BEGIN SELECT RAISE(ABORT, 'rows of client are added, never changed'); END;

CREATE TRIGGER control_location_refuse_update BEFORE UPDATE ON control_location
BEGIN SELECT RAISE(ABORT, 'rows of control_location are added, never changed'); END;

CREATE TRIGGER control_location_refuse_delete BEFORE DELETE ON control_location
BEGIN SELECT RAISE(ABORT, 'rows of control_location are added, never changed'); END;

CREATE TRIGGER control_state_refuse_update BEFORE UPDATE ON control_state
BEGIN SELECT RAISE(ABORT, 'rows of control_state are added, never changed'); END;

CREATE TRIGGER control_state_refuse_delete BEFORE DELETE ON control_state
BEGIN SELECT RAISE(ABORT, 'rows of control_state are added, never changed'); END;

CREATE TRIGGER covered_block_refuse_update BEFORE UPDATE ON covered_block
BEGIN SELECT RAISE(ABORT, 'rows of covered_block are added, never changed'); END;

CREATE TRIGGER covered_block_refuse_delete BEFORE DELETE ON covered_block
BEGIN SELECT RAISE(ABORT, 'rows of covered_block are added, never changed'); END;

CREATE TRIGGER cure_act_refuse_update BEFORE UPDATE ON cure_act
BEGIN SELECT RAISE(ABORT, 'rows of cure_act are added, never changed'); END;

CREATE TRIGGER cure_act_refuse_delete BEFORE DELETE ON cure_act
BEGIN SELECT RAISE(ABORT, 'rows of cure_act are added, never changed'); END;

CREATE TRIGGER custodian_account_refuse_update BEFORE UPDATE ON custodian_account
BEGIN SELECT RAISE(ABORT, 'rows of custodian_account are added, never changed'); END;

CREATE TRIGGER custodian_account_refuse_delete BEFORE DELETE ON custodian_account
BEGIN SELECT RAISE(ABORT, 'rows of custodian_account are added, never changed'); END;

CREATE TRIGGER custodian_address_refuse_update BEFORE UPDATE ON custodian_address
BEGIN SELECT RAISE(ABORT, 'rows of custodian_address are added, never changed'); END;

CREATE TRIGGER custodian_address_refuse_delete BEFORE DELETE ON custodian_address
BEGIN SELECT RAISE(ABORT, 'rows of custodian_address are added, never changed'); END;

CREATE TRIGGER custodian_message_refuse_update BEFORE UPDATE ON custodian_message
BEGIN SELECT RAISE(ABORT, 'rows of custodian_message are added, never changed'); END;

CREATE TRIGGER custodian_message_refuse_delete BEFORE DELETE ON custodian_message
BEGIN SELECT RAISE(ABORT, 'rows of custodian_message are added, never changed'); END;

CREATE TRIGGER custody_case_refuse_update BEFORE UPDATE ON custody_case
BEGIN SELECT RAISE(ABORT, 'rows of custody_case are added, never changed'); END;

CREATE TRIGGER custody_case_refuse_delete BEFORE DELETE ON custody_case
BEGIN SELECT RAISE(ABORT, 'rows of custody_case are added, never changed'); END;

CREATE TRIGGER encumbrance_grant_refuse_update BEFORE UPDATE ON encumbrance_grant
BEGIN SELECT RAISE(ABORT, 'rows of encumbrance_grant are added, never changed'); END;

CREATE TRIGGER encumbrance_grant_refuse_delete BEFORE DELETE ON encumbrance_grant
BEGIN SELECT RAISE(ABORT, 'rows of encumbrance_grant are added, never changed'); END;

CREATE TRIGGER firm_address_refuse_update BEFORE UPDATE ON firm_address
BEGIN SELECT RAISE(ABORT, 'rows of firm_address are added, never changed'); END;

CREATE TRIGGER firm_address_refuse_delete BEFORE DELETE ON firm_address
BEGIN SELECT RAISE(ABORT, 'rows of firm_address are added, never changed'); END;

CREATE TRIGGER firm_capital_refuse_update BEFORE UPDATE ON firm_capital
BEGIN SELECT RAISE(ABORT, 'rows of firm_capital are added, never changed'); END;

CREATE TRIGGER firm_capital_refuse_delete BEFORE DELETE ON firm_capital
BEGIN SELECT RAISE(ABORT, 'rows of firm_capital are added, never changed'); END;

CREATE TRIGGER focus_month_end_refuse_update BEFORE UPDATE ON focus_month_end
BEGIN SELECT RAISE(ABORT, 'rows of focus_month_end are added, never changed'); END;

CREATE TRIGGER focus_month_end_refuse_delete BEFORE DELETE ON focus_month_end
BEGIN SELECT RAISE(ABORT, 'rows of focus_month_end are added, never changed'); END;

CREATE TRIGGER key_answer_refuse_update BEFORE UPDATE ON key_answer
BEGIN SELECT RAISE(ABORT, 'rows of key_answer are added, never changed'); END;

CREATE TRIGGER key_answer_refuse_delete BEFORE DELETE ON key_answer
BEGIN SELECT RAISE(ABORT, 'rows of key_answer are added, never changed'); END;

CREATE TRIGGER ledger_entry_refuse_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'rows of ledger_entry are added, never changed'); END;

CREATE TRIGGER ledger_entry_refuse_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'rows of ledger_entry are added, never changed'); END;

CREATE TRIGGER lien_refuse_update BEFORE UPDATE ON lien
BEGIN SELECT RAISE(ABORT, 'rows of lien are added, never changed'); END;

CREATE TRIGGER lien_refuse_delete BEFORE DELETE ON lien
BEGIN SELECT RAISE(ABORT, 'rows of lien are added, never changed'); END;

CREATE TRIGGER login_refuse_update BEFORE UPDATE ON login
BEGIN SELECT RAISE(ABORT, 'rows of login are added, never changed'); END;

CREATE TRIGGER login_refuse_delete BEFORE DELETE ON login
BEGIN SELECT RAISE(ABORT, 'rows of login are added, never changed'); END;

CREATE TRIGGER other_amount_refuse_update BEFORE UPDATE ON other_amount
BEGIN SELECT RAISE(ABORT, 'rows of other_amount are added, never changed'); END;

CREATE TRIGGER other_amount_refuse_delete BEFORE DELETE ON other_amount
BEGIN SELECT RAISE(ABORT, 'rows of other_amount are added, never changed'); END;

CREATE TRIGGER pab_relief_refuse_update BEFORE UPDATE ON pab_relief
BEGIN SELECT RAISE(ABORT, 'rows of pab_relief are added, never changed'); END;

CREATE TRIGGER pab_relief_refuse_delete BEFORE DELETE ON pab_relief
BEGIN SELECT RAISE(ABORT, 'rows of pab_relief are added, never changed'); END;

CREATE TRIGGER person_state_refuse_update BEFORE UPDATE ON person_state
BEGIN SELECT RAISE(ABORT, 'rows of person_state are added, never changed'); END;

CREATE TRIGGER person_state_refuse_delete BEFORE DELETE ON person_state
BEGIN SELECT RAISE(ABORT, 'rows of person_state are added, never changed'); END;

CREATE TRIGGER pool_member_refuse_update BEFORE UPDATE ON pool_member
BEGIN SELECT RAISE(ABORT, 'rows of pool_member are added, never changed'); END;

CREATE TRIGGER pool_member_refuse_delete BEFORE DELETE ON pool_member
BEGIN SELECT RAISE(ABORT, 'rows of pool_member are added, never changed'); END;

CREATE TRIGGER position_refuse_update BEFORE UPDATE ON position
BEGIN SELECT RAISE(ABORT, 'rows of position are added, never changed'); END;

CREATE TRIGGER position_refuse_delete BEFORE DELETE ON position
BEGIN SELECT RAISE(ABORT, 'rows of position are added, never changed'); END;

CREATE TRIGGER price_refuse_update BEFORE UPDATE ON price
BEGIN SELECT RAISE(ABORT, 'rows of price are added, never changed'); END;

CREATE TRIGGER price_refuse_delete BEFORE DELETE ON price
BEGIN SELECT RAISE(ABORT, 'rows of price are added, never changed'); END;

CREATE TRIGGER reconciliation_refuse_update BEFORE UPDATE ON reconciliation
BEGIN SELECT RAISE(ABORT, 'rows of reconciliation are added, never changed'); END;

CREATE TRIGGER reconciliation_refuse_delete BEFORE DELETE ON reconciliation
BEGIN SELECT RAISE(ABORT, 'rows of reconciliation are added, never changed'); END;

CREATE TRIGGER reserve_bank_account_refuse_update BEFORE UPDATE ON reserve_bank_account
BEGIN SELECT RAISE(ABORT, 'rows of reserve_bank_account are added, never changed'); END;

CREATE TRIGGER reserve_bank_account_refuse_delete BEFORE DELETE ON reserve_bank_account
BEGIN SELECT RAISE(ABORT, 'rows of reserve_bank_account are added, never changed'); END;

CREATE TRIGGER reserve_holding_refuse_update BEFORE UPDATE ON reserve_holding
BEGIN SELECT RAISE(ABORT, 'rows of reserve_holding are added, never changed'); END;

CREATE TRIGGER reserve_holding_refuse_delete BEFORE DELETE ON reserve_holding
BEGIN SELECT RAISE(ABORT, 'rows of reserve_holding are added, never changed'); END;

CREATE TRIGGER reserve_instruction_refuse_update BEFORE UPDATE ON reserve_instruction
BEGIN SELECT RAISE(ABORT, 'rows of reserve_instruction are added, never changed'); END;

CREATE TRIGGER reserve_instruction_refuse_delete BEFORE DELETE ON reserve_instruction
BEGIN SELECT RAISE(ABORT, 'rows of reserve_instruction are added, never changed'); END;

CREATE TRIGGER reserve_item_refuse_update BEFORE UPDATE ON reserve_item
BEGIN SELECT RAISE(ABORT, 'rows of reserve_item are added, never changed'); END;

CREATE TRIGGER reserve_item_refuse_delete BEFORE DELETE ON reserve_item
BEGIN SELECT RAISE(ABORT, 'rows of reserve_item are added, never changed'); END;

CREATE TRIGGER reserve_notice_refuse_update BEFORE UPDATE ON reserve_notice
BEGIN SELECT RAISE(ABORT, 'rows of reserve_notice are added, never changed'); END;

CREATE TRIGGER reserve_notice_refuse_delete BEFORE DELETE ON reserve_notice
BEGIN SELECT RAISE(ABORT, 'rows of reserve_notice are added, never changed'); END;

CREATE TRIGGER reserve_sweep_refuse_update BEFORE UPDATE ON reserve_sweep
BEGIN SELECT RAISE(ABORT, 'rows of reserve_sweep are added, never changed'); END;

CREATE TRIGGER reserve_sweep_refuse_delete BEFORE DELETE ON reserve_sweep
BEGIN SELECT RAISE(ABORT, 'rows of reserve_sweep are added, never changed'); END;

CREATE TRIGGER restriction_refuse_update BEFORE UPDATE ON restriction
BEGIN SELECT RAISE(ABORT, 'rows of restriction are added, never changed'); END;

CREATE TRIGGER restriction_refuse_delete BEFORE DELETE ON restriction
BEGIN SELECT RAISE(ABORT, 'rows of restriction are added, never changed'); END;

CREATE TRIGGER roll_forward_refuse_update BEFORE UPDATE ON roll_forward
BEGIN SELECT RAISE(ABORT, 'rows of roll_forward are added, never changed'); END;

CREATE TRIGGER roll_forward_refuse_delete BEFORE DELETE ON roll_forward
BEGIN SELECT RAISE(ABORT, 'rows of roll_forward are added, never changed'); END;

CREATE TRIGGER scheduled_run_end_refuse_update BEFORE UPDATE ON scheduled_run_end
BEGIN SELECT RAISE(ABORT, 'rows of scheduled_run_end are added, never changed'); END;

CREATE TRIGGER scheduled_run_end_refuse_delete BEFORE DELETE ON scheduled_run_end
BEGIN SELECT RAISE(ABORT, 'rows of scheduled_run_end are added, never changed'); END;

CREATE TRIGGER security_fact_refuse_update BEFORE UPDATE ON security_fact
BEGIN SELECT RAISE(ABORT, 'rows of security_fact are added, never changed'); END;

CREATE TRIGGER security_fact_refuse_delete BEFORE DELETE ON security_fact
BEGIN SELECT RAISE(ABORT, 'rows of security_fact are added, never changed'); END;

CREATE TRIGGER shard_plan_refuse_update BEFORE UPDATE ON shard_plan
BEGIN SELECT RAISE(ABORT, 'rows of shard_plan are added, never changed'); END;

CREATE TRIGGER shard_plan_refuse_delete BEFORE DELETE ON shard_plan
BEGIN SELECT RAISE(ABORT, 'rows of shard_plan are added, never changed'); END;

CREATE TRIGGER stated_allocation_refuse_update BEFORE UPDATE ON stated_allocation
BEGIN SELECT RAISE(ABORT, 'rows of stated_allocation are added, never changed'); END;

CREATE TRIGGER stated_allocation_refuse_delete BEFORE DELETE ON stated_allocation
BEGIN SELECT RAISE(ABORT, 'rows of stated_allocation are added, never changed'); END;

CREATE TRIGGER stock_line_refuse_update BEFORE UPDATE ON stock_line
BEGIN SELECT RAISE(ABORT, 'rows of stock_line are added, never changed'); END;

CREATE TRIGGER stock_line_refuse_delete BEFORE DELETE ON stock_line
BEGIN SELECT RAISE(ABORT, 'rows of stock_line are added, never changed'); END;

CREATE TRIGGER substitution_refuse_update BEFORE UPDATE ON substitution
BEGIN SELECT RAISE(ABORT, 'rows of substitution are added, never changed'); END;

CREATE TRIGGER substitution_refuse_delete BEFORE DELETE ON substitution
BEGIN SELECT RAISE(ABORT, 'rows of substitution are added, never changed'); END;

CREATE TRIGGER sweep_answer_refuse_update BEFORE UPDATE ON sweep_answer
BEGIN SELECT RAISE(ABORT, 'rows of sweep_answer are added, never changed'); END;

CREATE TRIGGER sweep_answer_refuse_delete BEFORE DELETE ON sweep_answer
BEGIN SELECT RAISE(ABORT, 'rows of sweep_answer are added, never changed'); END;

CREATE TRIGGER sweep_header_refuse_update BEFORE UPDATE ON sweep_header
BEGIN SELECT RAISE(ABORT, 'rows of sweep_header are added, never changed'); END;

CREATE TRIGGER sweep_header_refuse_delete BEFORE DELETE ON sweep_header
BEGIN SELECT RAISE(ABORT, 'rows of sweep_header are added, never changed'); END;

CREATE TRIGGER sweep_proof_node_refuse_update BEFORE UPDATE ON sweep_proof_node
BEGIN SELECT RAISE(ABORT, 'rows of sweep_proof_node are added, never changed'); END;

CREATE TRIGGER sweep_proof_node_refuse_delete BEFORE DELETE ON sweep_proof_node
BEGIN SELECT RAISE(ABORT, 'rows of sweep_proof_node are added, never changed'); END;

CREATE TRIGGER sweep_shard_refuse_update BEFORE UPDATE ON sweep_shard
BEGIN SELECT RAISE(ABORT, 'rows of sweep_shard are added, never changed'); END;

CREATE TRIGGER sweep_shard_refuse_delete BEFORE DELETE ON sweep_shard
BEGIN SELECT RAISE(ABORT, 'rows of sweep_shard are added, never changed'); END;

CREATE TRIGGER token_layout_refuse_update BEFORE UPDATE ON token_layout
BEGIN SELECT RAISE(ABORT, 'rows of token_layout are added, never changed'); END;

CREATE TRIGGER token_layout_refuse_delete BEFORE DELETE ON token_layout
BEGIN SELECT RAISE(ABORT, 'rows of token_layout are added, never changed'); END;

CREATE TRIGGER trade_refuse_update BEFORE UPDATE ON trade
BEGIN SELECT RAISE(ABORT, 'rows of trade are added, never changed'); END;

CREATE TRIGGER trade_refuse_delete BEFORE DELETE ON trade
BEGIN SELECT RAISE(ABORT, 'rows of trade are added, never changed'); END;

CREATE TRIGGER transfer_authorization_refuse_update BEFORE UPDATE ON transfer_authorization
BEGIN SELECT RAISE(ABORT, 'rows of transfer_authorization are added, never changed'); END;

CREATE TRIGGER transfer_authorization_refuse_delete BEFORE DELETE ON transfer_authorization
BEGIN SELECT RAISE(ABORT, 'rows of transfer_authorization are added, never changed'); END;

CREATE TRIGGER wallet_refuse_update BEFORE UPDATE ON wallet
BEGIN SELECT RAISE(ABORT, 'rows of wallet are added, never changed'); END;

CREATE TRIGGER wallet_refuse_delete BEFORE DELETE ON wallet
BEGIN SELECT RAISE(ABORT, 'rows of wallet are added, never changed'); END;

CREATE TRIGGER wallet_descriptor_refuse_update BEFORE UPDATE ON wallet_descriptor
BEGIN SELECT RAISE(ABORT, 'rows of wallet_descriptor are added, never changed'); END;

CREATE TRIGGER wallet_descriptor_refuse_delete BEFORE DELETE ON wallet_descriptor
BEGIN SELECT RAISE(ABORT, 'rows of wallet_descriptor are added, never changed'); END;

CREATE TRIGGER approval_candidate_refuse_update BEFORE UPDATE ON approval_candidate
BEGIN SELECT RAISE(ABORT, 'rows of approval_candidate are added, never changed'); END;

CREATE TRIGGER approval_candidate_refuse_delete BEFORE DELETE ON approval_candidate
BEGIN SELECT RAISE(ABORT, 'rows of approval_candidate are added, never changed'); END;

CREATE TRIGGER backfill_failure_refuse_update BEFORE UPDATE ON backfill_failure
BEGIN SELECT RAISE(ABORT, 'rows of backfill_failure are added, never changed'); END;

CREATE TRIGGER backfill_failure_refuse_delete BEFORE DELETE ON backfill_failure
BEGIN SELECT RAISE(ABORT, 'rows of backfill_failure are added, never changed'); END;

CREATE TRIGGER backfill_item_refuse_update BEFORE UPDATE ON backfill_item
BEGIN SELECT RAISE(ABORT, 'rows of backfill_item are added, never changed'); END;

CREATE TRIGGER backfill_item_refuse_delete BEFORE DELETE ON backfill_item
BEGIN SELECT RAISE(ABORT, 'rows of backfill_item are added, never changed'); END;

CREATE TRIGGER backfill_run_refuse_update BEFORE UPDATE ON backfill_run
BEGIN SELECT RAISE(ABORT, 'rows of backfill_run are added, never changed'); END;

CREATE TRIGGER backfill_run_refuse_delete BEFORE DELETE ON backfill_run
BEGIN SELECT RAISE(ABORT, 'rows of backfill_run are added, never changed'); END;

CREATE TRIGGER case_event_refuse_update BEFORE UPDATE ON case_event
BEGIN SELECT RAISE(ABORT, 'rows of case_event are added, never changed'); END;

CREATE TRIGGER case_event_refuse_delete BEFORE DELETE ON case_event
BEGIN SELECT RAISE(ABORT, 'rows of case_event are added, never changed'); END;

CREATE TRIGGER control_decision_refuse_update BEFORE UPDATE ON control_decision
BEGIN SELECT RAISE(ABORT, 'rows of control_decision are added, never changed'); END;

CREATE TRIGGER control_decision_refuse_delete BEFORE DELETE ON control_decision
BEGIN SELECT RAISE(ABORT, 'rows of control_decision are added, never changed'); END;

CREATE TRIGGER credential_refuse_update BEFORE UPDATE ON credential
BEGIN SELECT RAISE(ABORT, 'rows of credential are added, never changed'); END;

CREATE TRIGGER credential_refuse_delete BEFORE DELETE ON credential
BEGIN SELECT RAISE(ABORT, 'rows of credential are added, never changed'); END;

CREATE TRIGGER cure_receipt_refuse_update BEFORE UPDATE ON cure_receipt
BEGIN SELECT RAISE(ABORT, 'rows of cure_receipt are added, never changed'); END;

CREATE TRIGGER cure_receipt_refuse_delete BEFORE DELETE ON cure_receipt
BEGIN SELECT RAISE(ABORT, 'rows of cure_receipt are added, never changed'); END;

CREATE TRIGGER encumbrance_review_refuse_update BEFORE UPDATE ON encumbrance_review
BEGIN SELECT RAISE(ABORT, 'rows of encumbrance_review are added, never changed'); END;

CREATE TRIGGER encumbrance_review_refuse_delete BEFORE DELETE ON encumbrance_review
BEGIN SELECT RAISE(ABORT, 'rows of encumbrance_review are added, never changed'); END;

CREATE TRIGGER login_end_refuse_update BEFORE UPDATE ON login_end
BEGIN SELECT RAISE(ABORT, 'rows of login_end are added, never changed'); END;

CREATE TRIGGER login_end_refuse_delete BEFORE DELETE ON login_end
BEGIN SELECT RAISE(ABORT, 'rows of login_end are added, never changed'); END;

CREATE TRIGGER orphaned_block_refuse_update BEFORE UPDATE ON orphaned_block
BEGIN SELECT RAISE(ABORT, 'rows of orphaned_block are added, never changed'); END;

CREATE TRIGGER orphaned_block_refuse_delete BEFORE DELETE ON orphaned_block
BEGIN SELECT RAISE(ABORT, 'rows of orphaned_block are added, never changed'); END;

CREATE TRIGGER proof_gap_refuse_update BEFORE UPDATE ON proof_gap
BEGIN SELECT RAISE(ABORT, 'rows of proof_gap are added, never changed'); END;

CREATE TRIGGER proof_gap_refuse_delete BEFORE DELETE ON proof_gap
BEGIN SELECT RAISE(ABORT, 'rows of proof_gap are added, never changed'); END;

CREATE TRIGGER reserve_decision_refuse_update BEFORE UPDATE ON reserve_decision
BEGIN SELECT RAISE(ABORT, 'rows of reserve_decision are added, never changed'); END;

CREATE TRIGGER reserve_decision_refuse_delete BEFORE DELETE ON reserve_decision
BEGIN SELECT RAISE(ABORT, 'rows of reserve_decision are added, never changed'); END;

CREATE TRIGGER shard_failure_refuse_update BEFORE UPDATE ON shard_failure
BEGIN SELECT RAISE(ABORT, 'rows of shard_failure are added, never changed'); END;

CREATE TRIGGER shard_failure_refuse_delete BEFORE DELETE ON shard_failure
BEGIN SELECT RAISE(ABORT, 'rows of shard_failure are added, never changed'); END;

CREATE TRIGGER statement_check_refuse_update BEFORE UPDATE ON statement_check
BEGIN SELECT RAISE(ABORT, 'rows of statement_check are added, never changed'); END;

CREATE TRIGGER statement_check_refuse_delete BEFORE DELETE ON statement_check
BEGIN SELECT RAISE(ABORT, 'rows of statement_check are added, never changed'); END;

CREATE TRIGGER traced_block_refuse_update BEFORE UPDATE ON traced_block
BEGIN SELECT RAISE(ABORT, 'rows of traced_block are added, never changed'); END;

CREATE TRIGGER traced_block_refuse_delete BEFORE DELETE ON traced_block
BEGIN SELECT RAISE(ABORT, 'rows of traced_block are added, never changed'); END;

CREATE TRIGGER transfer_refuse_update BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'rows of transfer are added, never changed'); END;

CREATE TRIGGER transfer_refuse_delete BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'rows of transfer are added, never changed'); END;

CREATE TRIGGER unparsed_events_refuse_update BEFORE UPDATE ON unparsed_events
BEGIN SELECT RAISE(ABORT, 'rows of unparsed_events are added, never changed'); END;

CREATE TRIGGER unparsed_events_refuse_delete BEFORE DELETE ON unparsed_events
BEGIN SELECT RAISE(ABORT, 'rows of unparsed_events are added, never changed'); END;

CREATE TRIGGER weaker_scan_refuse_update BEFORE UPDATE ON weaker_scan
BEGIN SELECT RAISE(ABORT, 'rows of weaker_scan are added, never changed'); END;

CREATE TRIGGER weaker_scan_refuse_delete BEFORE DELETE ON weaker_scan
BEGIN SELECT RAISE(ABORT, 'rows of weaker_scan are added, never changed'); END;

CREATE TRIGGER backfill_unparsed_refuse_update BEFORE UPDATE ON backfill_unparsed
BEGIN SELECT RAISE(ABORT, 'rows of backfill_unparsed are added, never changed'); END;

CREATE TRIGGER backfill_unparsed_refuse_delete BEFORE DELETE ON backfill_unparsed
BEGIN SELECT RAISE(ABORT, 'rows of backfill_unparsed are added, never changed'); END;

CREATE TRIGGER backfilled_transfer_refuse_update BEFORE UPDATE ON backfilled_transfer
BEGIN SELECT RAISE(ABORT, 'rows of backfilled_transfer are added, never changed'); END;

CREATE TRIGGER backfilled_transfer_refuse_delete BEFORE DELETE ON backfilled_transfer
BEGIN SELECT RAISE(ABORT, 'rows of backfilled_transfer are added, never changed'); END;

CREATE TRIGGER case_cover_refuse_update BEFORE UPDATE ON case_cover
BEGIN SELECT RAISE(ABORT, 'rows of case_cover are added, never changed'); END;

CREATE TRIGGER case_cover_refuse_delete BEFORE DELETE ON case_cover
BEGIN SELECT RAISE(ABORT, 'rows of case_cover are added, never changed'); END;

CREATE TRIGGER credential_end_refuse_update BEFORE UPDATE ON credential_end
BEGIN SELECT RAISE(ABORT, 'rows of credential_end are added, never changed'); END;

CREATE TRIGGER credential_end_refuse_delete BEFORE DELETE ON credential_end
BEGIN SELECT RAISE(ABORT, 'rows of credential_end are added, never changed'); END;

CREATE TRIGGER sweep_end_refuse_update BEFORE UPDATE ON sweep_end
BEGIN SELECT RAISE(ABORT, 'rows of sweep_end are added, never changed'); END;

CREATE TRIGGER sweep_end_refuse_delete BEFORE DELETE ON sweep_end
BEGIN SELECT RAISE(ABORT, 'rows of sweep_end are added, never changed'); END;

CREATE TRIGGER transfer_match_refuse_update BEFORE UPDATE ON transfer_match
BEGIN SELECT RAISE(ABORT, 'rows of transfer_match are added, never changed'); END;

CREATE TRIGGER transfer_match_refuse_delete BEFORE DELETE ON transfer_match
BEGIN SELECT RAISE(ABORT, 'rows of transfer_match are added, never changed'); END;

CREATE TRIGGER approval_use_refuse_update BEFORE UPDATE ON approval_use
BEGIN SELECT RAISE(ABORT, 'rows of approval_use are added, never changed'); END;

CREATE TRIGGER approval_use_refuse_delete BEFORE DELETE ON approval_use
BEGIN SELECT RAISE(ABORT, 'rows of approval_use are added, never changed'); END;

CREATE TRIGGER case_event_decision BEFORE INSERT ON case_event
WHEN NEW.act IN ('approved', 'endorsed', 'returned') AND (NOT EXISTS (SELECT 1 FROM case_event AS proposal WHERE proposal.record_id = NEW.proposal_key AND proposal.case_key = NEW.case_key AND proposal.act = 'proposed' AND proposal.actor = NEW.maker AND COALESCE(proposal.person_id, '') = COALESCE(NEW.maker_person, '') AND (NEW.act = 'returned' OR proposal.facts_digest = NEW.facts_digest)) OR EXISTS (SELECT 1 FROM case_event AS later WHERE later.case_key = NEW.case_key AND later.record_id > NEW.proposal_key AND later.act IN ('proposed', 'approved', 'returned', 'reopened')) OR (NEW.act <> 'returned' AND EXISTS (SELECT 1 FROM case_event AS other WHERE other.proposal_key = NEW.proposal_key AND other.act = 'endorsed' AND (other.actor = NEW.actor OR other.person_id = NEW.person_id))))
BEGIN SELECT RAISE(ABORT, 'a decision answers the proposal that stands, as it was made, once, by another person than before'); END;

CREATE TRIGGER reserve_decision_maker BEFORE INSERT ON reserve_decision
WHEN NOT EXISTS (SELECT 1 FROM reserve_instruction AS instruction WHERE instruction.record_id = NEW.instruction_key AND instruction.actor = NEW.maker AND (NEW.act <> 'approved' OR instruction.direction <> 'withdrawal' OR (NEW.computation_key IS NOT NULL AND NEW.remaining IS NOT NULL)))
BEGIN SELECT RAISE(ABORT, 'a decision names who made the instruction, and for a withdrawal the computation relied on'); END;

CREATE TRIGGER control_decision_maker BEFORE INSERT ON control_decision
WHEN NOT EXISTS (SELECT 1 FROM cure_act WHERE cure_act.record_id = NEW.act_key AND cure_act.maker = NEW.maker) AND NOT EXISTS (SELECT 1 FROM substitution WHERE substitution.record_id = NEW.substitution_key AND substitution.maker = NEW.maker)
BEGIN SELECT RAISE(ABORT, 'a decision names who recorded the act or substitution'); END;

CREATE TRIGGER change_decision_maker BEFORE INSERT ON change_decision
WHEN NOT EXISTS (SELECT 1 FROM change_proposal AS proposal WHERE proposal.record_id = NEW.proposal_key AND proposal.maker = NEW.maker AND proposal.digest = NEW.digest AND proposal.needs_approval = 1 AND COALESCE(proposal.maker_person, '') = COALESCE(NEW.maker_person, ''))
BEGIN SELECT RAISE(ABORT, 'a decision names who proposed the change, and its digest'); END;
