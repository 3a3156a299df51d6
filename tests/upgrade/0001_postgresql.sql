-- Made from the schema script with SHA-256 52a175fa98fb697540e714035b00493177654ca1ef4a88eefdb168c42008486b

CREATE TABLE alert (
	position BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	event TEXT NOT NULL,
	severity TEXT NOT NULL,
	title TEXT NOT NULL,
	details TEXT NOT NULL,
	case_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	CONSTRAINT pk_alert PRIMARY KEY (position)
);

CREATE INDEX ix_alert_recorded_at ON alert (recorded_at);

CREATE TABLE alert_channel (
	name TEXT NOT NULL,
	planned_to BIGINT NOT NULL,
	CONSTRAINT pk_alert_channel PRIMARY KEY (name)
);

CREATE TABLE api_request (
	key_digest TEXT NOT NULL,
	request_digest TEXT NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	status BIGINT,
	body TEXT,
	CONSTRAINT pk_api_request PRIMARY KEY (key_digest)
);

CREATE INDEX ix_api_request_started_at ON api_request (started_at);

CREATE TABLE journal_entry (
	sequence BIGINT NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	clock_at TIMESTAMP WITH TIME ZONE,
	payload TEXT NOT NULL,
	origin TEXT NOT NULL,
	previous_digest TEXT NOT NULL,
	CONSTRAINT pk_journal_entry PRIMARY KEY (sequence)
);

CREATE TABLE web_ticket (
	digest TEXT NOT NULL,
	purpose TEXT NOT NULL,
	browser TEXT NOT NULL,
	content TEXT NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_web_ticket PRIMARY KEY (digest)
);

CREATE INDEX ix_web_ticket_expires_at ON web_ticket (expires_at);

CREATE TABLE work_lease (
	name TEXT NOT NULL,
	token BIGINT NOT NULL,
	holder TEXT NOT NULL,
	taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_work_lease PRIMARY KEY (name)
);

CREATE TABLE alert_delivery (
	channel TEXT NOT NULL,
	position BIGINT NOT NULL,
	state TEXT NOT NULL,
	message_id TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	next_at TIMESTAMP WITH TIME ZONE,
	ended_at TIMESTAMP WITH TIME ZONE,
	code TEXT NOT NULL,
	CONSTRAINT pk_alert_delivery PRIMARY KEY (channel, position),
	CONSTRAINT fk_alert_delivery_position FOREIGN KEY(position) REFERENCES alert (position)
);

CREATE INDEX ix_alert_delivery_channel_state ON alert_delivery (channel, state);

CREATE TABLE archived (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	kind TEXT NOT NULL,
	subject_id TEXT NOT NULL,
	digest TEXT NOT NULL,
	retain_until DATE NOT NULL,
	CONSTRAINT pk_archived PRIMARY KEY (record_id),
	CONSTRAINT uq_archived_kind_subject_id UNIQUE (kind, subject_id),
	CONSTRAINT fk_archived_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE asset_value (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	asset_id TEXT NOT NULL,
	symbol TEXT NOT NULL,
	decimals BIGINT NOT NULL,
	CONSTRAINT pk_asset_value PRIMARY KEY (record_id),
	CONSTRAINT uq_asset_value_asset_id_symbol_decimals UNIQUE (asset_id, symbol, decimals),
	CONSTRAINT fk_asset_value_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE attachment_content (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	sha256 TEXT NOT NULL,
	byte_count BIGINT NOT NULL,
	media_type TEXT NOT NULL,
	content TEXT NOT NULL,
	CONSTRAINT pk_attachment_content PRIMARY KEY (record_id),
	CONSTRAINT uq_attachment_content_sha256 UNIQUE (sha256),
	CONSTRAINT ck_attachment_content_content_is_not_empty CHECK (byte_count > 0),
	CONSTRAINT fk_attachment_content_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE bundle_issued (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	bundle_id TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	digest TEXT NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	path TEXT NOT NULL,
	head_sequence BIGINT NOT NULL,
	head_digest TEXT NOT NULL,
	CONSTRAINT pk_bundle_issued PRIMARY KEY (record_id),
	CONSTRAINT uq_bundle_issued_bundle_id UNIQUE (bundle_id),
	CONSTRAINT uq_bundle_issued_sequence UNIQUE (sequence),
	CONSTRAINT fk_bundle_issued_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE chain_halt (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	chain_id TEXT NOT NULL,
	halted BOOLEAN NOT NULL,
	actor TEXT NOT NULL,
	from_height BIGINT,
	reason TEXT NOT NULL,
	CONSTRAINT pk_chain_halt PRIMARY KEY (record_id),
	CONSTRAINT fk_chain_halt_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_chain_halt_chain_id ON chain_halt (chain_id);

CREATE TABLE change_proposal (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	proposal_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	digest TEXT NOT NULL,
	content TEXT NOT NULL,
	text TEXT NOT NULL,
	maker TEXT NOT NULL,
	maker_person TEXT,
	needs_approval BOOLEAN NOT NULL,
	CONSTRAINT pk_change_proposal PRIMARY KEY (record_id),
	CONSTRAINT uq_change_proposal_proposal_id UNIQUE (proposal_id),
	CONSTRAINT fk_change_proposal_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_change_proposal_digest ON change_proposal (digest);

CREATE INDEX ix_change_proposal_kind ON change_proposal (kind);

CREATE TABLE custodian_statement (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	stated_by TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	format TEXT NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_custodian_statement PRIMARY KEY (record_id),
	CONSTRAINT uq_custodian_statement_stated_by_statement_id UNIQUE (stated_by, statement_id),
	CONSTRAINT fk_custodian_statement_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_custodian_statement_as_of ON custodian_statement (as_of);

CREATE TABLE daily_report (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	report_id TEXT NOT NULL,
	as_of DATE NOT NULL,
	version BIGINT NOT NULL,
	known_at TIMESTAMP WITH TIME ZONE NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	replaces BIGINT,
	CONSTRAINT pk_daily_report PRIMARY KEY (record_id),
	CONSTRAINT uq_daily_report_report_id UNIQUE (report_id),
	CONSTRAINT uq_daily_report_as_of_version UNIQUE (as_of, version),
	CONSTRAINT uq_daily_report_replaces UNIQUE (replaces),
	CONSTRAINT ck_daily_report_later_version_replaces CHECK ((version = 1) = (replaces IS NULL)),
	CONSTRAINT fk_daily_report_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_daily_report_replaces FOREIGN KEY(replaces) REFERENCES daily_report (record_id)
);

CREATE TABLE exception_review (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	run_id TEXT NOT NULL,
	as_of DATE NOT NULL,
	open_at TIMESTAMP WITH TIME ZONE NOT NULL,
	listed BIGINT NOT NULL,
	unexplained BIGINT NOT NULL,
	wsp_section TEXT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_exception_review PRIMARY KEY (record_id),
	CONSTRAINT uq_exception_review_run_id UNIQUE (run_id),
	CONSTRAINT ck_exception_review_unexplained_among_listed CHECK (unexplained >= 0 AND unexplained <= listed),
	CONSTRAINT fk_exception_review_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE folder_file (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	accepted BOOLEAN NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_folder_file PRIMARY KEY (record_id),
	CONSTRAINT uq_folder_file_name_digest UNIQUE (name, digest),
	CONSTRAINT fk_folder_file_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE imported_file (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	digest TEXT NOT NULL,
	name TEXT NOT NULL,
	row_count BIGINT NOT NULL,
	CONSTRAINT pk_imported_file PRIMARY KEY (record_id),
	CONSTRAINT uq_imported_file_digest UNIQUE (digest),
	CONSTRAINT fk_imported_file_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE interned_text (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_interned_text PRIMARY KEY (record_id),
	CONSTRAINT uq_interned_text_text UNIQUE (text),
	CONSTRAINT fk_interned_text_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE journal_seal (
	sequence BIGINT NOT NULL,
	rows TEXT NOT NULL,
	rows_digest TEXT NOT NULL,
	entry_digest TEXT NOT NULL,
	CONSTRAINT pk_journal_seal PRIMARY KEY (sequence),
	CONSTRAINT fk_journal_seal_sequence FOREIGN KEY(sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE key_challenge (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	chain_id TEXT NOT NULL,
	nonce TEXT NOT NULL,
	document TEXT NOT NULL,
	addresses TEXT NOT NULL,
	CONSTRAINT pk_key_challenge PRIMARY KEY (record_id),
	CONSTRAINT uq_key_challenge_nonce UNIQUE (nonce),
	CONSTRAINT fk_key_challenge_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_key_challenge_chain_id ON key_challenge (chain_id);

CREATE TABLE node_answer (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	digest TEXT NOT NULL,
	content TEXT NOT NULL,
	CONSTRAINT pk_node_answer PRIMARY KEY (record_id),
	CONSTRAINT uq_node_answer_digest UNIQUE (digest),
	CONSTRAINT fk_node_answer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE node_capability (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	chain_id TEXT NOT NULL,
	node_id TEXT NOT NULL,
	capability TEXT NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_node_capability PRIMARY KEY (record_id),
	CONSTRAINT fk_node_capability_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_node_capability_chain_id_node_id_capability ON node_capability (chain_id, node_id, capability);

CREATE TABLE person (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	person_id TEXT NOT NULL,
	CONSTRAINT pk_person PRIMARY KEY (record_id),
	CONSTRAINT uq_person_person_id UNIQUE (person_id),
	CONSTRAINT fk_person_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE possession_review (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	review_id TEXT NOT NULL,
	as_of DATE NOT NULL,
	rule_set TEXT NOT NULL,
	known_at TIMESTAMP WITH TIME ZONE NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	inputs_digest TEXT NOT NULL,
	determined_on DATE NOT NULL,
	act_by DATE NOT NULL,
	replaces BIGINT,
	reason TEXT NOT NULL,
	CONSTRAINT pk_possession_review PRIMARY KEY (record_id),
	CONSTRAINT uq_possession_review_review_id UNIQUE (review_id),
	CONSTRAINT uq_possession_review_replaces UNIQUE (replaces),
	CONSTRAINT ck_possession_review_replacement_has_reason CHECK (replaces IS NULL OR reason <> ''),
	CONSTRAINT fk_possession_review_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_possession_review_replaces FOREIGN KEY(replaces) REFERENCES possession_review (record_id)
);

CREATE INDEX ix_possession_review_as_of ON possession_review (as_of);

CREATE TABLE proof_node (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	digest TEXT NOT NULL,
	node TEXT NOT NULL,
	CONSTRAINT pk_proof_node PRIMARY KEY (record_id),
	CONSTRAINT uq_proof_node_digest UNIQUE (digest),
	CONSTRAINT fk_proof_node_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE pulled_file (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	source TEXT NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	validator TEXT NOT NULL,
	accepted BOOLEAN NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_pulled_file PRIMARY KEY (record_id),
	CONSTRAINT uq_pulled_file_source_name_digest_accepted UNIQUE (source, name, digest, accepted),
	CONSTRAINT fk_pulled_file_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE reading (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	method TEXT NOT NULL,
	node_id TEXT NOT NULL,
	state TEXT NOT NULL,
	anchor TEXT NOT NULL,
	CONSTRAINT pk_reading PRIMARY KEY (record_id),
	CONSTRAINT uq_reading_method_node_id_state_anchor UNIQUE (method, node_id, state, anchor),
	CONSTRAINT fk_reading_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE reserve_computation (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	computation_id TEXT NOT NULL,
	as_of DATE NOT NULL,
	scope TEXT NOT NULL,
	occasion TEXT NOT NULL,
	rule_set TEXT NOT NULL,
	known_at TIMESTAMP WITH TIME ZONE NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	compute_on DATE NOT NULL,
	deposit_on DATE NOT NULL,
	deposit_by TIMESTAMP WITH TIME ZONE NOT NULL,
	replaces BIGINT,
	reason TEXT NOT NULL,
	CONSTRAINT pk_reserve_computation PRIMARY KEY (record_id),
	CONSTRAINT uq_reserve_computation_computation_id UNIQUE (computation_id),
	CONSTRAINT uq_reserve_computation_replaces UNIQUE (replaces),
	CONSTRAINT ck_reserve_computation_replacement_has_reason CHECK (replaces IS NULL OR reason <> ''),
	CONSTRAINT fk_reserve_computation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_computation_replaces FOREIGN KEY(replaces) REFERENCES reserve_computation (record_id)
);

CREATE INDEX ix_reserve_computation_as_of ON reserve_computation (as_of);

CREATE TABLE scheduled_run (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	job TEXT NOT NULL,
	slot_key TEXT NOT NULL,
	business_date DATE NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_scheduled_run PRIMARY KEY (record_id),
	CONSTRAINT uq_scheduled_run_job_slot_key UNIQUE (job, slot_key),
	CONSTRAINT fk_scheduled_run_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE securities_run (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	run_id TEXT NOT NULL,
	as_of DATE NOT NULL,
	known_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expected BIGINT NOT NULL,
	matched BIGINT NOT NULL,
	diverged BIGINT NOT NULL,
	unverified BIGINT NOT NULL,
	document TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_securities_run PRIMARY KEY (record_id),
	CONSTRAINT uq_securities_run_run_id UNIQUE (run_id),
	CONSTRAINT fk_securities_run_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_securities_run_as_of ON securities_run (as_of);

CREATE TABLE sweep (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	sweep_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	height BIGINT NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TIMESTAMP WITH TIME ZONE NOT NULL,
	finality TEXT NOT NULL,
	node_id TEXT NOT NULL,
	header_checked BOOLEAN NOT NULL,
	known_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expected BIGINT NOT NULL,
	CONSTRAINT pk_sweep PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_sweep_id UNIQUE (sweep_id),
	CONSTRAINT fk_sweep_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_sweep_chain_id ON sweep (chain_id);

CREATE TABLE sweep_failure (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	chain_id TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	expected BIGINT NOT NULL,
	CONSTRAINT pk_sweep_failure PRIMARY KEY (record_id),
	CONSTRAINT fk_sweep_failure_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_sweep_failure_chain_id ON sweep_failure (chain_id);

CREATE TABLE trade_settlement (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	trade_id TEXT NOT NULL,
	act TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	height BIGINT NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TIMESTAMP WITH TIME ZONE NOT NULL,
	tx_id TEXT NOT NULL,
	CONSTRAINT pk_trade_settlement PRIMARY KEY (record_id),
	CONSTRAINT fk_trade_settlement_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE INDEX ix_trade_settlement_trade_id ON trade_settlement (trade_id);

CREATE TABLE transaction_proof (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	block_hash TEXT NOT NULL,
	tx_id TEXT NOT NULL,
	place BIGINT NOT NULL,
	header TEXT NOT NULL,
	transaction_nodes TEXT NOT NULL,
	receipt_nodes TEXT NOT NULL,
	CONSTRAINT pk_transaction_proof PRIMARY KEY (record_id),
	CONSTRAINT uq_transaction_proof_block_hash_tx_id UNIQUE (block_hash, tx_id),
	CONSTRAINT fk_transaction_proof_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence)
);

CREATE TABLE accepted_control (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	acceptance_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	wallet TEXT NOT NULL,
	kind TEXT NOT NULL,
	asset_id TEXT,
	subject TEXT NOT NULL,
	base_units_max NUMERIC(79, 0),
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_accepted_control PRIMARY KEY (record_id),
	CONSTRAINT ck_accepted_control_maker_is_not_checker CHECK (requested_by <> approved_by),
	CONSTRAINT fk_accepted_control_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_accepted_control_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_accepted_control_base_units_max_range CHECK (abs(base_units_max) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_accepted_control_acceptance_id ON accepted_control (acceptance_id);

CREATE INDEX ix_accepted_control_chain_id_wallet ON accepted_control (chain_id, wallet);

CREATE TABLE account_balance (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	account_id TEXT NOT NULL,
	client_id TEXT NOT NULL,
	holder_class TEXT NOT NULL,
	account_type TEXT NOT NULL,
	credit_balance NUMERIC(79, 0) NOT NULL,
	debit_balance NUMERIC(79, 0) NOT NULL,
	CONSTRAINT pk_account_balance PRIMARY KEY (record_id),
	CONSTRAINT fk_account_balance_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_account_balance_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_account_balance_credit_balance_range CHECK (abs(credit_balance) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_account_balance_debit_balance_range CHECK (abs(debit_balance) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_account_balance_account_id ON account_balance (account_id);

CREATE INDEX ix_account_balance_as_of ON account_balance (as_of);

CREATE TABLE account_relation (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	account_id TEXT NOT NULL,
	effective_from DATE NOT NULL,
	single_customer_id TEXT NOT NULL,
	relation TEXT NOT NULL,
	non_customer_share TEXT NOT NULL,
	unsecured_or_doubtful BOOLEAN NOT NULL,
	related_to_credits NUMERIC(79, 0) NOT NULL,
	omnibus_deficit NUMERIC(79, 0) NOT NULL,
	recent_calls NUMERIC(79, 0) NOT NULL,
	relief_excepted NUMERIC(79, 0) NOT NULL,
	relief_requested_on DATE,
	hypothecation_consent_on DATE,
	lending_consent_on DATE,
	fully_paid_lending_agreement_on DATE,
	pab_use_notice_on DATE,
	CONSTRAINT pk_account_relation PRIMARY KEY (record_id),
	CONSTRAINT fk_account_relation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_account_relation_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_account_relation_related_to_credits_range CHECK (abs(related_to_credits) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_account_relation_omnibus_deficit_range CHECK (abs(omnibus_deficit) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_account_relation_recent_calls_range CHECK (abs(recent_calls) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_account_relation_relief_excepted_range CHECK (abs(relief_excepted) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_account_relation_account_id ON account_relation (account_id);

CREATE TABLE approval_scan (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	first_height BIGINT NOT NULL,
	height BIGINT NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TIMESTAMP WITH TIME ZONE NOT NULL,
	node_id TEXT NOT NULL,
	watched_key BIGINT NOT NULL,
	odd TEXT NOT NULL,
	late TEXT NOT NULL,
	CONSTRAINT pk_approval_scan PRIMARY KEY (record_id),
	CONSTRAINT fk_approval_scan_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_approval_scan_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_approval_scan_watched_key FOREIGN KEY(watched_key) REFERENCES interned_text (record_id)
);

CREATE INDEX ix_approval_scan_chain_id ON approval_scan (chain_id);

CREATE TABLE asset (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	asset_id TEXT NOT NULL,
	symbol TEXT NOT NULL,
	decimals BIGINT NOT NULL,
	legal_class TEXT NOT NULL,
	legal_class_from DATE NOT NULL,
	legal_class_reference TEXT NOT NULL,
	dust_limit NUMERIC(79, 0) NOT NULL,
	CONSTRAINT pk_asset PRIMARY KEY (record_id),
	CONSTRAINT fk_asset_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_asset_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_asset_dust_limit_range CHECK (abs(dust_limit) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_asset_asset_id ON asset (asset_id);

CREATE TABLE backfill (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	sweep_key BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	of_assets BOOLEAN NOT NULL,
	first_height BIGINT NOT NULL,
	last_height BIGINT NOT NULL,
	CONSTRAINT pk_backfill PRIMARY KEY (record_id),
	CONSTRAINT fk_backfill_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE INDEX ix_backfill_chain_id ON backfill (chain_id);

CREATE TABLE balance_observation (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	reading_key BIGINT NOT NULL,
	base_units NUMERIC(79, 0),
	reason TEXT,
	CONSTRAINT pk_balance_observation PRIMARY KEY (record_id),
	CONSTRAINT uq_balance_observation_sweep_key_location_key_asset_key UNIQUE (sweep_key, location_key, asset_key),
	CONSTRAINT ck_balance_observation_amount_or_reason CHECK ((base_units IS NULL) = (reason IS NOT NULL)),
	CONSTRAINT fk_balance_observation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_balance_observation_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_balance_observation_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_balance_observation_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT fk_balance_observation_reading_key FOREIGN KEY(reading_key) REFERENCES reading (record_id),
	CONSTRAINT ck_balance_observation_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE bank_movement (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	account_id TEXT NOT NULL,
	bank_reference TEXT NOT NULL,
	value_on DATE NOT NULL,
	direction TEXT NOT NULL,
	cents NUMERIC(79, 0) NOT NULL,
	instruction_id TEXT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_bank_movement PRIMARY KEY (record_id),
	CONSTRAINT fk_bank_movement_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_bank_movement_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_bank_movement_cents_range CHECK (abs(cents) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_bank_movement_bank_reference ON bank_movement (bank_reference);

CREATE TABLE books_close (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	file TEXT NOT NULL,
	row_count BIGINT NOT NULL,
	total TEXT NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_books_close PRIMARY KEY (record_id),
	CONSTRAINT fk_books_close_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_books_close_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_books_close_as_of ON books_close (as_of);

CREATE TABLE bundle_block (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	bundle_key BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	height BIGINT NOT NULL,
	block_hash TEXT NOT NULL,
	CONSTRAINT pk_bundle_block PRIMARY KEY (record_id),
	CONSTRAINT uq_bundle_block_bundle_key_chain_id UNIQUE (bundle_key, chain_id),
	CONSTRAINT fk_bundle_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_bundle_block_bundle_key FOREIGN KEY(bundle_key) REFERENCES bundle_issued (record_id)
);

CREATE TABLE change_decision (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	proposal_key BIGINT NOT NULL,
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
);

CREATE TABLE change_search (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	sweep_key BIGINT NOT NULL,
	mode TEXT NOT NULL,
	first_height BIGINT NOT NULL,
	last_height BIGINT NOT NULL,
	blocks_read BIGINT NOT NULL,
	node_id TEXT NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_change_search PRIMARY KEY (record_id),
	CONSTRAINT uq_change_search_sweep_key UNIQUE (sweep_key),
	CONSTRAINT fk_change_search_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_change_search_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE TABLE change_step (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	after_height BIGINT NOT NULL,
	height BIGINT NOT NULL,
	found NUMERIC(79, 0) NOT NULL,
	left_over NUMERIC(79, 0) NOT NULL,
	tx_ids TEXT NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_change_step PRIMARY KEY (record_id),
	CONSTRAINT uq_change_step_sweep_key_location_key_asset_key_height UNIQUE (sweep_key, location_key, asset_key, height),
	CONSTRAINT ck_change_step_after_before_height CHECK (after_height < height),
	CONSTRAINT fk_change_step_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_change_step_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_change_step_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_change_step_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_change_step_found_range CHECK (abs(found) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_change_step_left_over_range CHECK (abs(left_over) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE clearing_agency (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	agency TEXT NOT NULL,
	effective_from DATE NOT NULL,
	agency_kind TEXT NOT NULL,
	determined_on DATE,
	security_deposits NUMERIC(79, 0) NOT NULL,
	assessment_power NUMERIC(79, 0) NOT NULL,
	margin_deposits NUMERIC(79, 0) NOT NULL,
	exempted_by_commission BOOLEAN NOT NULL,
	no_lien_letter BOOLEAN NOT NULL,
	safeguards BOOLEAN NOT NULL,
	undertaking BOOLEAN NOT NULL,
	rules_approved_on DATE,
	notice_published_on DATE,
	notice_withdrawn_on DATE,
	conditions_on DATE,
	CONSTRAINT pk_clearing_agency PRIMARY KEY (record_id),
	CONSTRAINT fk_clearing_agency_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_clearing_agency_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_clearing_agency_security_deposits_range CHECK (abs(security_deposits) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_clearing_agency_assessment_power_range CHECK (abs(assessment_power) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_clearing_agency_margin_deposits_range CHECK (abs(margin_deposits) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_clearing_agency_agency ON clearing_agency (agency);

CREATE TABLE clearing_margin (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	margin_id TEXT NOT NULL,
	computation TEXT NOT NULL,
	agency_kind TEXT NOT NULL,
	agency TEXT NOT NULL,
	client_id TEXT NOT NULL,
	required NUMERIC(79, 0) NOT NULL,
	on_deposit NUMERIC(79, 0) NOT NULL,
	held_as TEXT NOT NULL,
	customer_only BOOLEAN NOT NULL,
	arose_on DATE,
	customer_was_short BOOLEAN NOT NULL,
	called_on DATE,
	delivered_on DATE,
	CONSTRAINT pk_clearing_margin PRIMARY KEY (record_id),
	CONSTRAINT fk_clearing_margin_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_clearing_margin_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_clearing_margin_required_range CHECK (abs(required) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_clearing_margin_on_deposit_range CHECK (abs(on_deposit) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_clearing_margin_as_of ON clearing_margin (as_of);

CREATE TABLE client (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	client_id TEXT NOT NULL,
	name TEXT NOT NULL,
	opened_on DATE NOT NULL,
	closed_on DATE,
	CONSTRAINT pk_client PRIMARY KEY (record_id),
	CONSTRAINT fk_client_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_client_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_client_client_id ON client (client_id);

CREATE TABLE control_location (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	location_id TEXT NOT NULL,
	effective_from DATE NOT NULL,
	paragraph TEXT NOT NULL,
	evidence_on DATE NOT NULL,
	reference TEXT NOT NULL,
	valid_until DATE,
	CONSTRAINT pk_control_location PRIMARY KEY (record_id),
	CONSTRAINT fk_control_location_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_control_location_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_control_location_location_id ON control_location (location_id);

CREATE TABLE control_state (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	address TEXT NOT NULL,
	role TEXT NOT NULL,
	facts_key BIGINT NOT NULL,
	nonce BIGINT,
	known_key BIGINT NOT NULL,
	known_nonce BIGINT,
	CONSTRAINT pk_control_state PRIMARY KEY (record_id),
	CONSTRAINT uq_control_state_sweep_key_address UNIQUE (sweep_key, address),
	CONSTRAINT fk_control_state_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_control_state_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_control_state_facts_key FOREIGN KEY(facts_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_control_state_known_key FOREIGN KEY(known_key) REFERENCES interned_text (record_id)
);

CREATE TABLE covered_block (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	height BIGINT NOT NULL,
	block_hash TEXT NOT NULL,
	parent_hash TEXT NOT NULL,
	block_time TIMESTAMP WITH TIME ZONE NOT NULL,
	node_id TEXT NOT NULL,
	mode TEXT NOT NULL,
	CONSTRAINT pk_covered_block PRIMARY KEY (record_id),
	CONSTRAINT uq_covered_block_sweep_key_block_hash UNIQUE (sweep_key, block_hash),
	CONSTRAINT fk_covered_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_covered_block_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE INDEX ix_covered_block_chain_id_height ON covered_block (chain_id, height);

CREATE TABLE cure_act (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	act_id TEXT NOT NULL,
	review_key BIGINT NOT NULL,
	security_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	line_id TEXT NOT NULL,
	instructed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	text TEXT NOT NULL,
	maker TEXT NOT NULL,
	CONSTRAINT pk_cure_act PRIMARY KEY (record_id),
	CONSTRAINT uq_cure_act_act_id UNIQUE (act_id),
	CONSTRAINT fk_cure_act_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_cure_act_review_key FOREIGN KEY(review_key) REFERENCES possession_review (record_id),
	CONSTRAINT ck_cure_act_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE custodian_account (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	location_id TEXT NOT NULL,
	effective_from DATE NOT NULL,
	custodian TEXT NOT NULL,
	account TEXT NOT NULL,
	held_for TEXT NOT NULL,
	titling TEXT NOT NULL,
	currency TEXT NOT NULL,
	statement_due TEXT NOT NULL,
	reference TEXT NOT NULL,
	closed_on DATE,
	CONSTRAINT pk_custodian_account PRIMARY KEY (record_id),
	CONSTRAINT fk_custodian_account_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custodian_account_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_custodian_account_location_id ON custodian_account (location_id);

CREATE TABLE custodian_address (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	custodian TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	mpc_vault TEXT NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_custodian_address PRIMARY KEY (record_id),
	CONSTRAINT fk_custodian_address_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custodian_address_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_custodian_address_chain_id_address ON custodian_address (chain_id, address);

CREATE TABLE custodian_message (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_custodian_message PRIMARY KEY (record_id),
	CONSTRAINT uq_custodian_message_file_key UNIQUE (file_key),
	CONSTRAINT fk_custodian_message_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custodian_message_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE TABLE custody_case (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	case_id TEXT NOT NULL,
	finding_key TEXT NOT NULL,
	occurrence BIGINT NOT NULL,
	kind TEXT NOT NULL,
	rail TEXT NOT NULL,
	location_id TEXT NOT NULL,
	asset_key BIGINT,
	subject TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	CONSTRAINT pk_custody_case PRIMARY KEY (record_id),
	CONSTRAINT uq_custody_case_case_id UNIQUE (case_id),
	CONSTRAINT uq_custody_case_finding_key_occurrence UNIQUE (finding_key, occurrence),
	CONSTRAINT ck_custody_case_occurrence_counts CHECK (occurrence >= 1),
	CONSTRAINT fk_custody_case_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_custody_case_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id)
);

CREATE TABLE encumbrance_grant (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	kind TEXT NOT NULL,
	owner TEXT NOT NULL,
	asset_key BIGINT NOT NULL,
	spender TEXT NOT NULL,
	base_units NUMERIC(79, 0),
	expires_at_seconds BIGINT,
	reason TEXT,
	CONSTRAINT pk_encumbrance_grant PRIMARY KEY (record_id),
	CONSTRAINT uq_encumbrance_grant_sweep_key_kind_owner_asset_key_spender UNIQUE (sweep_key, kind, owner, asset_key, spender),
	CONSTRAINT ck_encumbrance_grant_amount_or_reason CHECK ((base_units IS NULL) = (reason IS NOT NULL)),
	CONSTRAINT fk_encumbrance_grant_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_encumbrance_grant_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_encumbrance_grant_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_encumbrance_grant_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE firm_address (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	label TEXT NOT NULL,
	valid_from DATE NOT NULL,
	valid_until DATE,
	tops_up_gas BOOLEAN NOT NULL,
	CONSTRAINT pk_firm_address PRIMARY KEY (record_id),
	CONSTRAINT fk_firm_address_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_firm_address_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_firm_address_chain_id_address ON firm_address (chain_id, address);

CREATE TABLE firm_capital (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	method TEXT NOT NULL,
	net_capital NUMERIC(79, 0) NOT NULL,
	tentative_net_capital NUMERIC(79, 0) NOT NULL,
	aggregate_indebtedness NUMERIC(79, 0) NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_firm_capital PRIMARY KEY (record_id),
	CONSTRAINT fk_firm_capital_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_firm_capital_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_firm_capital_net_capital_range CHECK (abs(net_capital) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_firm_capital_tentative_net_capital_range CHECK (abs(tentative_net_capital) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_firm_capital_aggregate_indebtedness_range CHECK (abs(aggregate_indebtedness) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_firm_capital_as_of ON firm_capital (as_of);

CREATE TABLE focus_month_end (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	month_end DATE NOT NULL,
	customer_credits NUMERIC(79, 0) NOT NULL,
	pab_credits NUMERIC(79, 0) NOT NULL,
	filed_on DATE NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_focus_month_end PRIMARY KEY (record_id),
	CONSTRAINT fk_focus_month_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_focus_month_end_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_focus_month_end_customer_credits_range CHECK (abs(customer_credits) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_focus_month_end_pab_credits_range CHECK (abs(pab_credits) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_focus_month_end_month_end ON focus_month_end (month_end);

CREATE TABLE key_answer (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	challenge_key BIGINT NOT NULL,
	address TEXT NOT NULL,
	scheme TEXT NOT NULL,
	signature TEXT NOT NULL,
	outcome TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	account_kind TEXT NOT NULL,
	coins TEXT NOT NULL,
	node_id TEXT NOT NULL,
	height BIGINT,
	block_hash TEXT,
	parent_hash TEXT,
	block_time TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_key_answer PRIMARY KEY (record_id),
	CONSTRAINT ck_key_answer_accepted_or_code CHECK ((outcome = 'accepted') = (code = '')),
	CONSTRAINT ck_key_answer_accepted_at_block CHECK (outcome <> 'accepted' OR block_hash IS NOT NULL),
	CONSTRAINT fk_key_answer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_key_answer_challenge_key FOREIGN KEY(challenge_key) REFERENCES key_challenge (record_id)
);

CREATE INDEX ix_key_answer_challenge_key ON key_answer (challenge_key);

CREATE UNIQUE INDEX uq_key_answer_accepted ON key_answer (challenge_key, address) WHERE outcome = 'accepted';

CREATE TABLE ledger_entry (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	entry_id TEXT NOT NULL,
	client_key BIGINT NOT NULL,
	account_class TEXT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
	kind TEXT NOT NULL,
	corrects TEXT NOT NULL,
	CONSTRAINT pk_ledger_entry PRIMARY KEY (record_id),
	CONSTRAINT uq_ledger_entry_entry_id UNIQUE (entry_id),
	CONSTRAINT fk_ledger_entry_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_ledger_entry_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_ledger_entry_client_key FOREIGN KEY(client_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_ledger_entry_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_ledger_entry_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_ledger_entry_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_ledger_entry_location_key_asset_key ON ledger_entry (location_key, asset_key);

CREATE TABLE lien (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	lien_id TEXT NOT NULL,
	lender TEXT NOT NULL,
	kind TEXT NOT NULL,
	amount NUMERIC(79, 0) NOT NULL,
	CONSTRAINT pk_lien PRIMARY KEY (record_id),
	CONSTRAINT fk_lien_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_lien_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_lien_amount_range CHECK (abs(amount) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_lien_as_of ON lien (as_of);

CREATE INDEX ix_lien_lien_id ON lien (lien_id);

CREATE TABLE login (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	person_key BIGINT NOT NULL,
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	CONSTRAINT pk_login PRIMARY KEY (record_id),
	CONSTRAINT fk_login_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_login_person_key FOREIGN KEY(person_key) REFERENCES person (record_id)
);

CREATE INDEX ix_login_issuer_subject ON login (issuer, subject);

CREATE INDEX ix_login_person_key ON login (person_key);

CREATE TABLE other_amount (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	amount_id TEXT NOT NULL,
	computation TEXT NOT NULL,
	nature TEXT NOT NULL,
	cents NUMERIC(79, 0) NOT NULL,
	reference TEXT NOT NULL,
	since DATE,
	CONSTRAINT pk_other_amount PRIMARY KEY (record_id),
	CONSTRAINT fk_other_amount_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_other_amount_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_other_amount_cents_range CHECK (abs(cents) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_other_amount_as_of ON other_amount (as_of);

CREATE TABLE pab_relief (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	relief_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	account_id TEXT NOT NULL,
	cents NUMERIC(79, 0) NOT NULL,
	"on" DATE NOT NULL,
	done_at TIMESTAMP WITH TIME ZONE,
	free_of_lien BOOLEAN NOT NULL,
	CONSTRAINT pk_pab_relief PRIMARY KEY (record_id),
	CONSTRAINT fk_pab_relief_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_pab_relief_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_pab_relief_cents_range CHECK (abs(cents) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_pab_relief_relief_id ON pab_relief (relief_id);

CREATE TABLE person_state (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	person_key BIGINT NOT NULL,
	name TEXT NOT NULL,
	roles TEXT NOT NULL,
	is_disabled BOOLEAN NOT NULL,
	CONSTRAINT pk_person_state PRIMARY KEY (record_id),
	CONSTRAINT fk_person_state_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_person_state_person_key FOREIGN KEY(person_key) REFERENCES person (record_id)
);

CREATE INDEX ix_person_state_person_key ON person_state (person_key);

CREATE TABLE pool_member (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	pool_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	from_date DATE NOT NULL,
	to_date DATE,
	CONSTRAINT pk_pool_member PRIMARY KEY (record_id),
	CONSTRAINT fk_pool_member_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_pool_member_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_pool_member_chain_id_address ON pool_member (chain_id, address);

CREATE TABLE position (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	source TEXT NOT NULL,
	stated_by TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	CONSTRAINT pk_position PRIMARY KEY (record_id),
	CONSTRAINT fk_position_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_position_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_position_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_position_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_position_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_position_location_key_asset_key ON position (location_key, asset_key);

CREATE INDEX ix_position_stated_by_statement_id ON position (stated_by, statement_id);

CREATE TABLE price (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	asset_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	price TEXT NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	source TEXT NOT NULL,
	CONSTRAINT pk_price PRIMARY KEY (record_id),
	CONSTRAINT fk_price_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_price_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_price_asset_id_as_of ON price (asset_id, as_of);

CREATE TABLE reconciliation (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	rail TEXT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	status TEXT NOT NULL,
	claimed NUMERIC(79, 0) NOT NULL,
	gas_float_recorded NUMERIC(79, 0) NOT NULL,
	gas_float_observed NUMERIC(79, 0) NOT NULL,
	observed NUMERIC(79, 0),
	difference NUMERIC(79, 0),
	claimed_as_of TIMESTAMP WITH TIME ZONE,
	observed_as_of TIMESTAMP WITH TIME ZONE,
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
	CONSTRAINT ck_reconciliation_claimed_range CHECK (abs(claimed) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_reconciliation_gas_float_recorded_range CHECK (abs(gas_float_recorded) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_reconciliation_gas_float_observed_range CHECK (abs(gas_float_observed) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_reconciliation_observed_range CHECK (abs(observed) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_reconciliation_difference_range CHECK (abs(difference) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE reserve_bank_account (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	account_id TEXT NOT NULL,
	effective_from DATE NOT NULL,
	computation TEXT NOT NULL,
	bank_id TEXT NOT NULL,
	affiliated BOOLEAN NOT NULL,
	equity_capital NUMERIC(79, 0),
	call_report_on DATE,
	notified_on DATE,
	no_lien_contract_on DATE,
	CONSTRAINT pk_reserve_bank_account PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_bank_account_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_bank_account_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_bank_account_equity_capital_range CHECK (abs(equity_capital) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_reserve_bank_account_effective_from ON reserve_bank_account (effective_from);

CREATE TABLE reserve_holding (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	account_id TEXT NOT NULL,
	as_of DATE NOT NULL,
	holding TEXT NOT NULL,
	kind TEXT NOT NULL,
	market_value NUMERIC(79, 0),
	priced_on DATE,
	statement_id TEXT NOT NULL,
	CONSTRAINT pk_reserve_holding PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_holding_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_holding_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_holding_market_value_range CHECK (abs(market_value) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_reserve_holding_as_of ON reserve_holding (as_of);

CREATE TABLE reserve_instruction (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	instruction_id TEXT NOT NULL,
	direction TEXT NOT NULL,
	account_id TEXT NOT NULL,
	purpose TEXT NOT NULL,
	cents NUMERIC(79, 0) NOT NULL,
	actor TEXT NOT NULL,
	text TEXT NOT NULL,
	valid_until DATE NOT NULL,
	computation_key BIGINT,
	remaining NUMERIC(79, 0),
	CONSTRAINT pk_reserve_instruction PRIMARY KEY (record_id),
	CONSTRAINT uq_reserve_instruction_instruction_id UNIQUE (instruction_id),
	CONSTRAINT ck_reserve_instruction_withdrawal_relies_on_computation CHECK (direction <> 'withdrawal' OR (computation_key IS NOT NULL AND remaining IS NOT NULL)),
	CONSTRAINT fk_reserve_instruction_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_instruction_computation_key FOREIGN KEY(computation_key) REFERENCES reserve_computation (record_id),
	CONSTRAINT ck_reserve_instruction_cents_range CHECK (abs(cents) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_reserve_instruction_remaining_range CHECK (abs(remaining) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_reserve_instruction_account_id ON reserve_instruction (account_id);

CREATE TABLE reserve_item (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	computation TEXT NOT NULL,
	item BIGINT NOT NULL,
	cents NUMERIC(79, 0) NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_reserve_item PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_item_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_item_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_item_cents_range CHECK (abs(cents) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_reserve_item_as_of ON reserve_item (as_of);

CREATE TABLE reserve_notice (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	kind TEXT NOT NULL,
	given_on DATE NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_reserve_notice PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_notice_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_notice_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_reserve_notice_given_on ON reserve_notice (given_on);

CREATE TABLE reserve_sweep (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	swept_on DATE NOT NULL,
	cents NUMERIC(79, 0) NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_reserve_sweep PRIMARY KEY (record_id),
	CONSTRAINT fk_reserve_sweep_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_sweep_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_reserve_sweep_cents_range CHECK (abs(cents) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_reserve_sweep_as_of ON reserve_sweep (as_of);

CREATE TABLE restriction (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	question TEXT NOT NULL,
	holder TEXT,
	answer TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_restriction PRIMARY KEY (record_id),
	CONSTRAINT fk_restriction_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_restriction_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_restriction_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id)
);

CREATE INDEX ix_restriction_sweep_key ON restriction (sweep_key);

CREATE TABLE roll_forward (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	opening_sweep_key BIGINT NOT NULL,
	opening NUMERIC(79, 0) NOT NULL,
	received NUMERIC(79, 0) NOT NULL,
	sent NUMERIC(79, 0) NOT NULL,
	fees NUMERIC(79, 0) NOT NULL,
	closing NUMERIC(79, 0),
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_roll_forward PRIMARY KEY (record_id),
	CONSTRAINT uq_roll_forward_sweep_key_location_key_asset_key UNIQUE (sweep_key, location_key, asset_key),
	CONSTRAINT fk_roll_forward_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_roll_forward_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_roll_forward_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_roll_forward_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT fk_roll_forward_opening_sweep_key FOREIGN KEY(opening_sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT ck_roll_forward_opening_range CHECK (abs(opening) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_roll_forward_received_range CHECK (abs(received) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_roll_forward_sent_range CHECK (abs(sent) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_roll_forward_fees_range CHECK (abs(fees) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_roll_forward_closing_range CHECK (abs(closing) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE scheduled_run_end (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	run_key BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
	exit_code BIGINT NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_scheduled_run_end PRIMARY KEY (record_id),
	CONSTRAINT uq_scheduled_run_end_run_key UNIQUE (run_key),
	CONSTRAINT ck_scheduled_run_end_known CHECK (exit_code IN (0, 1, 2)),
	CONSTRAINT fk_scheduled_run_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_scheduled_run_end_run_key FOREIGN KEY(run_key) REFERENCES scheduled_run (record_id)
);

CREATE TABLE security_fact (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	security_id TEXT NOT NULL,
	effective_from DATE NOT NULL,
	exempted BOOLEAN NOT NULL,
	reference TEXT NOT NULL,
	CONSTRAINT pk_security_fact PRIMARY KEY (record_id),
	CONSTRAINT fk_security_fact_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_security_fact_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_security_fact_security_id ON security_fact (security_id);

CREATE TABLE shard_plan (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	shard BIGINT NOT NULL,
	first_address TEXT NOT NULL,
	last_address TEXT NOT NULL,
	wallet_count BIGINT NOT NULL,
	holding_count BIGINT NOT NULL,
	holdings_digest TEXT NOT NULL,
	CONSTRAINT pk_shard_plan PRIMARY KEY (record_id),
	CONSTRAINT uq_shard_plan_sweep_key_shard UNIQUE (sweep_key, shard),
	CONSTRAINT fk_shard_plan_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_shard_plan_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE TABLE stated_allocation (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	client_key BIGINT NOT NULL,
	account_class TEXT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	is_gas_float BOOLEAN NOT NULL,
	CONSTRAINT pk_stated_allocation PRIMARY KEY (record_id),
	CONSTRAINT fk_stated_allocation_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_stated_allocation_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_stated_allocation_client_key FOREIGN KEY(client_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_stated_allocation_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_stated_allocation_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_stated_allocation_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_stated_allocation_location_key_asset_key_as_of ON stated_allocation (location_key, asset_key, as_of);

CREATE TABLE stock_line (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	as_of DATE NOT NULL,
	line_id TEXT NOT NULL,
	security_key BIGINT NOT NULL,
	place TEXT NOT NULL,
	side TEXT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	price TEXT NOT NULL,
	account_id TEXT NOT NULL,
	location_key BIGINT,
	counterparty TEXT NOT NULL,
	reference TEXT NOT NULL,
	since DATE,
	contract_value NUMERIC(79, 0),
	collateral NUMERIC(79, 0),
	confirmed_on DATE,
	closed BOOLEAN NOT NULL,
	CONSTRAINT pk_stock_line PRIMARY KEY (record_id),
	CONSTRAINT fk_stock_line_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_stock_line_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT fk_stock_line_security_key FOREIGN KEY(security_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_stock_line_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT ck_stock_line_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_stock_line_contract_value_range CHECK (abs(contract_value) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_stock_line_collateral_range CHECK (abs(collateral) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_stock_line_as_of ON stock_line (as_of);

CREATE INDEX ix_stock_line_line_id ON stock_line (line_id);

CREATE TABLE substitution (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	substitution_id TEXT NOT NULL,
	review_key BIGINT NOT NULL,
	holder_id TEXT NOT NULL,
	from_id TEXT NOT NULL,
	to_id TEXT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	before_digest TEXT NOT NULL,
	after_digest TEXT NOT NULL,
	text TEXT NOT NULL,
	maker TEXT NOT NULL,
	CONSTRAINT pk_substitution PRIMARY KEY (record_id),
	CONSTRAINT uq_substitution_substitution_id UNIQUE (substitution_id),
	CONSTRAINT fk_substitution_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_substitution_review_key FOREIGN KEY(review_key) REFERENCES possession_review (record_id),
	CONSTRAINT ck_substitution_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE sweep_answer (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	node_id TEXT NOT NULL,
	method TEXT NOT NULL,
	addresses TEXT NOT NULL,
	asset_ids TEXT NOT NULL,
	decided BIGINT NOT NULL,
	digests TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_sweep_answer PRIMARY KEY (record_id),
	CONSTRAINT fk_sweep_answer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_answer_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE INDEX ix_sweep_answer_sweep_key ON sweep_answer (sweep_key);

CREATE TABLE sweep_header (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	header TEXT NOT NULL,
	CONSTRAINT pk_sweep_header PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_header_sweep_key UNIQUE (sweep_key),
	CONSTRAINT fk_sweep_header_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_header_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE TABLE sweep_proof_node (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	node_key BIGINT NOT NULL,
	CONSTRAINT pk_sweep_proof_node PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_proof_node_sweep_key_node_key UNIQUE (sweep_key, node_key),
	CONSTRAINT fk_sweep_proof_node_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_proof_node_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_sweep_proof_node_node_key FOREIGN KEY(node_key) REFERENCES proof_node (record_id)
);

CREATE TABLE sweep_shard (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	shard BIGINT NOT NULL,
	observation_count BIGINT NOT NULL,
	failed_count BIGINT NOT NULL,
	CONSTRAINT pk_sweep_shard PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_shard_sweep_key_shard UNIQUE (sweep_key, shard),
	CONSTRAINT fk_sweep_shard_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_shard_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE TABLE token_layout (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	slot_order TEXT NOT NULL,
	mapping_slot NUMERIC(79, 0) NOT NULL,
	first_bit BIGINT NOT NULL,
	bits BIGINT NOT NULL,
	code_hash TEXT NOT NULL,
	implementation TEXT,
	implementation_slot NUMERIC(79, 0),
	implementation_code_hash TEXT NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_token_layout PRIMARY KEY (record_id),
	CONSTRAINT ck_token_layout_maker_is_not_checker CHECK (requested_by <> approved_by),
	CONSTRAINT fk_token_layout_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_token_layout_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_token_layout_mapping_slot_range CHECK (abs(mapping_slot) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_token_layout_implementation_slot_range CHECK (abs(implementation_slot) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_token_layout_asset_id ON token_layout (asset_id);

CREATE TABLE trade (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	trade_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	side TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	contract_amount NUMERIC(79, 0) NOT NULL,
	price TEXT NOT NULL,
	trade_date DATE NOT NULL,
	settlement_date DATE NOT NULL,
	rail TEXT NOT NULL,
	chain_id TEXT,
	wallet TEXT,
	tx_id TEXT NOT NULL,
	settled_on DATE,
	CONSTRAINT pk_trade PRIMARY KEY (record_id),
	CONSTRAINT fk_trade_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_trade_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_trade_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_trade_contract_amount_range CHECK (abs(contract_amount) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_trade_trade_id ON trade (trade_id);

CREATE TABLE transfer_authorization (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	authorization_id TEXT NOT NULL,
	chain_id TEXT NOT NULL,
	wallet TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	base_units_max NUMERIC(79, 0) NOT NULL,
	destination TEXT NOT NULL,
	fee_max NUMERIC(79, 0),
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
	purpose TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	approved_by TEXT NOT NULL,
	approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reference TEXT NOT NULL,
	client_id TEXT NOT NULL,
	CONSTRAINT pk_transfer_authorization PRIMARY KEY (record_id),
	CONSTRAINT uq_transfer_authorization_authorization_id UNIQUE (authorization_id),
	CONSTRAINT ck_transfer_authorization_maker_is_not_checker CHECK (requested_by <> approved_by),
	CONSTRAINT fk_transfer_authorization_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_transfer_authorization_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_transfer_authorization_base_units_max_range CHECK (abs(base_units_max) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
	CONSTRAINT ck_transfer_authorization_fee_max_range CHECK (abs(fee_max) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_transfer_authorization_chain_id_wallet ON transfer_authorization (chain_id, wallet);

CREATE TABLE wallet (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	structure TEXT NOT NULL,
	titling TEXT NOT NULL,
	custodian TEXT NOT NULL,
	mpc_vault TEXT NOT NULL,
	key_scheme TEXT NOT NULL,
	threshold BIGINT NOT NULL,
	share_count BIGINT NOT NULL,
	share_holders TEXT NOT NULL,
	firm_alone_can_sign BOOLEAN NOT NULL,
	others_can_sign_without_firm BOOLEAN NOT NULL,
	opened_on DATE NOT NULL,
	closed_on DATE,
	gas_float_limit NUMERIC(79, 0) NOT NULL,
	CONSTRAINT pk_wallet PRIMARY KEY (record_id),
	CONSTRAINT fk_wallet_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_wallet_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id),
	CONSTRAINT ck_wallet_gas_float_limit_range CHECK (abs(gas_float_limit) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_wallet_chain_id_address ON wallet (chain_id, address);

CREATE TABLE wallet_descriptor (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_key BIGINT NOT NULL,
	line BIGINT NOT NULL,
	chain_id TEXT NOT NULL,
	address TEXT NOT NULL,
	descriptor TEXT NOT NULL,
	role TEXT NOT NULL,
	birth_height BIGINT,
	look_ahead BIGINT NOT NULL,
	derived BIGINT NOT NULL,
	CONSTRAINT pk_wallet_descriptor PRIMARY KEY (record_id),
	CONSTRAINT fk_wallet_descriptor_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_wallet_descriptor_file_key FOREIGN KEY(file_key) REFERENCES imported_file (record_id)
);

CREATE INDEX ix_wallet_descriptor_chain_id_address ON wallet_descriptor (chain_id, address);

CREATE TABLE web_session (
	digest TEXT NOT NULL,
	session_key TEXT NOT NULL,
	person_key BIGINT NOT NULL,
	method TEXT NOT NULL,
	address TEXT NOT NULL,
	agent TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	used_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_web_session PRIMARY KEY (digest),
	CONSTRAINT uq_web_session_session_key UNIQUE (session_key),
	CONSTRAINT fk_web_session_person_key FOREIGN KEY(person_key) REFERENCES person (record_id)
);

CREATE INDEX ix_web_session_person_key ON web_session (person_key);

CREATE TABLE approval_candidate (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	scan_key BIGINT NOT NULL,
	kind TEXT NOT NULL,
	owner TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	spender TEXT NOT NULL,
	CONSTRAINT pk_approval_candidate PRIMARY KEY (record_id),
	CONSTRAINT uq_approval_candidate_kind_owner_asset_id_spender UNIQUE (kind, owner, asset_id, spender),
	CONSTRAINT fk_approval_candidate_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_approval_candidate_scan_key FOREIGN KEY(scan_key) REFERENCES approval_scan (record_id)
);

CREATE TABLE backfill_failure (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	backfill_key BIGINT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_backfill_failure PRIMARY KEY (record_id),
	CONSTRAINT fk_backfill_failure_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_failure_backfill_key FOREIGN KEY(backfill_key) REFERENCES backfill (record_id)
);

CREATE INDEX ix_backfill_failure_backfill_key ON backfill_failure (backfill_key);

CREATE TABLE backfill_item (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	backfill_key BIGINT NOT NULL,
	item_key BIGINT NOT NULL,
	CONSTRAINT pk_backfill_item PRIMARY KEY (record_id),
	CONSTRAINT uq_backfill_item_backfill_key_item_key UNIQUE (backfill_key, item_key),
	CONSTRAINT fk_backfill_item_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_item_backfill_key FOREIGN KEY(backfill_key) REFERENCES backfill (record_id),
	CONSTRAINT fk_backfill_item_item_key FOREIGN KEY(item_key) REFERENCES interned_text (record_id)
);

CREATE TABLE backfill_run (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	backfill_key BIGINT NOT NULL,
	first_covered_key BIGINT NOT NULL,
	last_covered_key BIGINT NOT NULL,
	node_id TEXT NOT NULL,
	mode TEXT NOT NULL,
	mode_note TEXT NOT NULL,
	CONSTRAINT pk_backfill_run PRIMARY KEY (record_id),
	CONSTRAINT uq_backfill_run_backfill_key_last_covered_key UNIQUE (backfill_key, last_covered_key),
	CONSTRAINT fk_backfill_run_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_run_backfill_key FOREIGN KEY(backfill_key) REFERENCES backfill (record_id),
	CONSTRAINT fk_backfill_run_first_covered_key FOREIGN KEY(first_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_backfill_run_last_covered_key FOREIGN KEY(last_covered_key) REFERENCES covered_block (record_id)
);

CREATE TABLE case_event (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	case_key BIGINT NOT NULL,
	act TEXT NOT NULL,
	actor TEXT NOT NULL,
	sweep_key BIGINT,
	base_units NUMERIC(79, 0),
	text TEXT NOT NULL,
	height BIGINT,
	block_hash TEXT,
	parent_hash TEXT,
	block_time TIMESTAMP WITH TIME ZONE,
	tx_id TEXT NOT NULL,
	provisional BOOLEAN NOT NULL,
	proposal_key BIGINT,
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
	CONSTRAINT ck_case_event_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_case_event_case_key ON case_event (case_key);

CREATE TABLE control_decision (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	act_key BIGINT,
	substitution_key BIGINT,
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
);

CREATE TABLE credential (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	person_key BIGINT,
	login_key BIGINT,
	kind TEXT NOT NULL,
	label TEXT NOT NULL,
	digest TEXT NOT NULL,
	content TEXT NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_credential PRIMARY KEY (record_id),
	CONSTRAINT fk_credential_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_credential_person_key FOREIGN KEY(person_key) REFERENCES person (record_id),
	CONSTRAINT fk_credential_login_key FOREIGN KEY(login_key) REFERENCES login (record_id)
);

CREATE INDEX ix_credential_digest ON credential (digest);

CREATE INDEX ix_credential_person_key ON credential (person_key);

CREATE TABLE cure_receipt (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	act_key BIGINT NOT NULL,
	kind TEXT NOT NULL,
	reference TEXT NOT NULL,
	digest TEXT NOT NULL,
	received_on DATE NOT NULL,
	actor TEXT NOT NULL,
	CONSTRAINT pk_cure_receipt PRIMARY KEY (record_id),
	CONSTRAINT fk_cure_receipt_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_cure_receipt_act_key FOREIGN KEY(act_key) REFERENCES cure_act (record_id)
);

CREATE INDEX ix_cure_receipt_act_key ON cure_receipt (act_key);

CREATE TABLE encumbrance_review (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	node_id TEXT NOT NULL,
	failure TEXT NOT NULL,
	scan_key BIGINT,
	compared_sweep_key BIGINT,
	controls_sweep_key BIGINT,
	assets TEXT NOT NULL,
	wallets_asked BIGINT NOT NULL,
	pairs_asked BIGINT NOT NULL,
	restrictions_asked BIGINT NOT NULL,
	CONSTRAINT pk_encumbrance_review PRIMARY KEY (record_id),
	CONSTRAINT uq_encumbrance_review_sweep_key UNIQUE (sweep_key),
	CONSTRAINT ck_encumbrance_review_answers_or_failure CHECK ((failure = '') = (scan_key IS NOT NULL)),
	CONSTRAINT fk_encumbrance_review_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_encumbrance_review_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_encumbrance_review_scan_key FOREIGN KEY(scan_key) REFERENCES approval_scan (record_id),
	CONSTRAINT fk_encumbrance_review_compared_sweep_key FOREIGN KEY(compared_sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_encumbrance_review_controls_sweep_key FOREIGN KEY(controls_sweep_key) REFERENCES sweep (record_id)
);

CREATE TABLE login_end (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	login_key BIGINT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_login_end PRIMARY KEY (record_id),
	CONSTRAINT uq_login_end_login_key UNIQUE (login_key),
	CONSTRAINT fk_login_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_login_end_login_key FOREIGN KEY(login_key) REFERENCES login (record_id)
);

CREATE TABLE orphaned_block (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	covered_key BIGINT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_orphaned_block PRIMARY KEY (record_id),
	CONSTRAINT uq_orphaned_block_covered_key UNIQUE (covered_key),
	CONSTRAINT fk_orphaned_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_orphaned_block_covered_key FOREIGN KEY(covered_key) REFERENCES covered_block (record_id)
);

CREATE TABLE proof_gap (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	shard_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	reason TEXT NOT NULL,
	holdings BIGINT NOT NULL,
	CONSTRAINT pk_proof_gap PRIMARY KEY (record_id),
	CONSTRAINT uq_proof_gap_shard_key_asset_key_reason UNIQUE (shard_key, asset_key, reason),
	CONSTRAINT fk_proof_gap_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_proof_gap_shard_key FOREIGN KEY(shard_key) REFERENCES sweep_shard (record_id),
	CONSTRAINT fk_proof_gap_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id)
);

CREATE TABLE reserve_decision (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	instruction_key BIGINT NOT NULL,
	act TEXT NOT NULL,
	actor TEXT NOT NULL,
	maker TEXT NOT NULL,
	text TEXT NOT NULL,
	computation_key BIGINT,
	remaining NUMERIC(79, 0),
	CONSTRAINT pk_reserve_decision PRIMARY KEY (record_id),
	CONSTRAINT uq_reserve_decision_instruction_key UNIQUE (instruction_key),
	CONSTRAINT ck_reserve_decision_maker_is_not_checker CHECK (act <> 'approved' OR maker <> actor),
	CONSTRAINT fk_reserve_decision_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_reserve_decision_instruction_key FOREIGN KEY(instruction_key) REFERENCES reserve_instruction (record_id),
	CONSTRAINT fk_reserve_decision_computation_key FOREIGN KEY(computation_key) REFERENCES reserve_computation (record_id),
	CONSTRAINT ck_reserve_decision_remaining_range CHECK (abs(remaining) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE shard_failure (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	plan_key BIGINT NOT NULL,
	node_id TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_shard_failure PRIMARY KEY (record_id),
	CONSTRAINT fk_shard_failure_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_shard_failure_plan_key FOREIGN KEY(plan_key) REFERENCES shard_plan (record_id)
);

CREATE INDEX ix_shard_failure_plan_key ON shard_failure (plan_key);

CREATE TABLE statement_check (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	reconciliation_key BIGINT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	as_of TIMESTAMP WITH TIME ZONE NOT NULL,
	stated_by TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_statement_check PRIMARY KEY (record_id),
	CONSTRAINT uq_statement_check_reconciliation_key UNIQUE (reconciliation_key),
	CONSTRAINT fk_statement_check_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_statement_check_reconciliation_key FOREIGN KEY(reconciliation_key) REFERENCES reconciliation (record_id),
	CONSTRAINT ck_statement_check_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE TABLE traced_block (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	covered_key BIGINT NOT NULL,
	method TEXT NOT NULL,
	node_id TEXT NOT NULL,
	transfer_count BIGINT NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_traced_block PRIMARY KEY (record_id),
	CONSTRAINT uq_traced_block_sweep_key_covered_key UNIQUE (sweep_key, covered_key),
	CONSTRAINT ck_traced_block_method_or_note CHECK ((method = '') = (note <> '')),
	CONSTRAINT fk_traced_block_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_traced_block_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_traced_block_covered_key FOREIGN KEY(covered_key) REFERENCES covered_block (record_id)
);

CREATE TABLE transfer (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	covered_key BIGINT NOT NULL,
	tx_id TEXT NOT NULL,
	log_index BIGINT NOT NULL,
	kind TEXT NOT NULL,
	asset_key BIGINT NOT NULL,
	sender TEXT,
	receiver TEXT,
	base_units NUMERIC(79, 0) NOT NULL,
	CONSTRAINT pk_transfer PRIMARY KEY (record_id),
	CONSTRAINT uq_transfer_covered_key_tx_id_kind_log_index UNIQUE (covered_key, tx_id, kind, log_index),
	CONSTRAINT fk_transfer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_transfer_covered_key FOREIGN KEY(covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_transfer_asset_key FOREIGN KEY(asset_key) REFERENCES asset_value (record_id),
	CONSTRAINT ck_transfer_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_transfer_receiver ON transfer (receiver);

CREATE INDEX ix_transfer_sender ON transfer (sender);

CREATE TABLE unparsed_events (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	first_covered_key BIGINT NOT NULL,
	last_covered_key BIGINT NOT NULL,
	asset_id TEXT NOT NULL,
	event_count BIGINT NOT NULL,
	CONSTRAINT pk_unparsed_events PRIMARY KEY (record_id),
	CONSTRAINT uq_unparsed_events_last_covered_key_asset_id UNIQUE (last_covered_key, asset_id),
	CONSTRAINT fk_unparsed_events_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_unparsed_events_first_covered_key FOREIGN KEY(first_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_unparsed_events_last_covered_key FOREIGN KEY(last_covered_key) REFERENCES covered_block (record_id)
);

CREATE TABLE weaker_scan (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	first_covered_key BIGINT NOT NULL,
	last_covered_key BIGINT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_weaker_scan PRIMARY KEY (record_id),
	CONSTRAINT uq_weaker_scan_last_covered_key UNIQUE (last_covered_key),
	CONSTRAINT fk_weaker_scan_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_weaker_scan_first_covered_key FOREIGN KEY(first_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_weaker_scan_last_covered_key FOREIGN KEY(last_covered_key) REFERENCES covered_block (record_id)
);

CREATE TABLE account_secret (
	credential_key BIGINT NOT NULL,
	secret TEXT NOT NULL,
	counter BIGINT NOT NULL,
	CONSTRAINT pk_account_secret PRIMARY KEY (credential_key),
	CONSTRAINT fk_account_secret_credential_key FOREIGN KEY(credential_key) REFERENCES credential (record_id)
);

CREATE TABLE backfill_unparsed (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	run_key BIGINT NOT NULL,
	asset_id TEXT NOT NULL,
	event_count BIGINT NOT NULL,
	CONSTRAINT pk_backfill_unparsed PRIMARY KEY (record_id),
	CONSTRAINT uq_backfill_unparsed_run_key_asset_id UNIQUE (run_key, asset_id),
	CONSTRAINT fk_backfill_unparsed_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfill_unparsed_run_key FOREIGN KEY(run_key) REFERENCES backfill_run (record_id)
);

CREATE TABLE backfilled_transfer (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	run_key BIGINT NOT NULL,
	transfer_key BIGINT NOT NULL,
	CONSTRAINT pk_backfilled_transfer PRIMARY KEY (record_id),
	CONSTRAINT uq_backfilled_transfer_run_key_transfer_key UNIQUE (run_key, transfer_key),
	CONSTRAINT fk_backfilled_transfer_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_backfilled_transfer_run_key FOREIGN KEY(run_key) REFERENCES backfill_run (record_id),
	CONSTRAINT fk_backfilled_transfer_transfer_key FOREIGN KEY(transfer_key) REFERENCES transfer (record_id)
);

CREATE TABLE case_cover (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	event_key BIGINT NOT NULL,
	location_key BIGINT NOT NULL,
	asset_key BIGINT NOT NULL,
	CONSTRAINT pk_case_cover PRIMARY KEY (record_id),
	CONSTRAINT uq_case_cover_event_key_location_key_asset_key UNIQUE (event_key, location_key, asset_key),
	CONSTRAINT fk_case_cover_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_case_cover_event_key FOREIGN KEY(event_key) REFERENCES case_event (record_id),
	CONSTRAINT fk_case_cover_location_key FOREIGN KEY(location_key) REFERENCES interned_text (record_id),
	CONSTRAINT fk_case_cover_asset_key FOREIGN KEY(asset_key) REFERENCES interned_text (record_id)
);

CREATE TABLE credential_end (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	credential_key BIGINT NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_credential_end PRIMARY KEY (record_id),
	CONSTRAINT uq_credential_end_credential_key UNIQUE (credential_key),
	CONSTRAINT fk_credential_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_credential_end_credential_key FOREIGN KEY(credential_key) REFERENCES credential (record_id)
);

CREATE TABLE sweep_end (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	sweep_key BIGINT NOT NULL,
	abandoned TEXT NOT NULL,
	expected BIGINT NOT NULL,
	matched BIGINT NOT NULL,
	diverged BIGINT NOT NULL,
	unverified BIGINT NOT NULL,
	transfers_scanned BIGINT NOT NULL,
	transfers_outgoing BIGINT NOT NULL,
	transfers_not_matched BIGINT NOT NULL,
	transfers_change BIGINT NOT NULL,
	first_height BIGINT,
	last_height BIGINT,
	judged_covered_key BIGINT,
	judged_run_key BIGINT,
	judged_transfer_key BIGINT,
	CONSTRAINT pk_sweep_end PRIMARY KEY (record_id),
	CONSTRAINT uq_sweep_end_sweep_key UNIQUE (sweep_key),
	CONSTRAINT ck_sweep_end_every_holding_accounted_for CHECK (abandoned <> '' OR matched + diverged + unverified = expected),
	CONSTRAINT fk_sweep_end_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_sweep_end_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id),
	CONSTRAINT fk_sweep_end_judged_covered_key FOREIGN KEY(judged_covered_key) REFERENCES covered_block (record_id),
	CONSTRAINT fk_sweep_end_judged_run_key FOREIGN KEY(judged_run_key) REFERENCES backfill_run (record_id),
	CONSTRAINT fk_sweep_end_judged_transfer_key FOREIGN KEY(judged_transfer_key) REFERENCES transfer (record_id)
);

CREATE TABLE transfer_match (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	transfer_key BIGINT NOT NULL,
	sweep_key BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	authorization_id TEXT NOT NULL,
	commingling BOOLEAN NOT NULL,
	for_review BOOLEAN NOT NULL,
	reason TEXT NOT NULL,
	CONSTRAINT pk_transfer_match PRIMARY KEY (record_id),
	CONSTRAINT uq_transfer_match_transfer_key UNIQUE (transfer_key),
	CONSTRAINT fk_transfer_match_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_transfer_match_transfer_key FOREIGN KEY(transfer_key) REFERENCES transfer (record_id),
	CONSTRAINT fk_transfer_match_sweep_key FOREIGN KEY(sweep_key) REFERENCES sweep (record_id)
);

CREATE INDEX ix_transfer_match_authorization_id ON transfer_match (authorization_id);

CREATE TABLE approval_use (
	record_id BIGINT NOT NULL,
	journal_sequence BIGINT NOT NULL,
	match_key BIGINT NOT NULL,
	authorization_id TEXT NOT NULL,
	base_units NUMERIC(79, 0) NOT NULL,
	CONSTRAINT pk_approval_use PRIMARY KEY (record_id),
	CONSTRAINT uq_approval_use_match_key_authorization_id UNIQUE (match_key, authorization_id),
	CONSTRAINT fk_approval_use_journal_sequence FOREIGN KEY(journal_sequence) REFERENCES journal_entry (sequence),
	CONSTRAINT fk_approval_use_match_key FOREIGN KEY(match_key) REFERENCES transfer_match (record_id),
	CONSTRAINT ck_approval_use_base_units_range CHECK (abs(base_units) <= 115792089237316195423570985008687907853269984665640564039457584007913129639935)
);

CREATE INDEX ix_approval_use_authorization_id ON approval_use (authorization_id);

CREATE FUNCTION custody_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'rows are added, never changed' USING TABLE = TG_TABLE_NAME; END
$$;

CREATE FUNCTION custody_check_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.act IN ('approved', 'endorsed', 'returned') AND (NOT EXISTS (SELECT 1 FROM case_event AS proposal WHERE proposal.record_id = NEW.proposal_key AND proposal.case_key = NEW.case_key AND proposal.act = 'proposed' AND proposal.actor = NEW.maker AND COALESCE(proposal.person_id, '') = COALESCE(NEW.maker_person, '') AND (NEW.act = 'returned' OR proposal.facts_digest = NEW.facts_digest)) OR EXISTS (SELECT 1 FROM case_event AS later WHERE later.case_key = NEW.case_key AND later.record_id > NEW.proposal_key AND later.act IN ('proposed', 'approved', 'returned', 'reopened')) OR (NEW.act <> 'returned' AND EXISTS (SELECT 1 FROM case_event AS other WHERE other.proposal_key = NEW.proposal_key AND other.act = 'endorsed' AND (other.actor = NEW.actor OR other.person_id = NEW.person_id)))) THEN RAISE EXCEPTION 'a decision answers the proposal that stands, as it was made, once, by another person than before'; END IF; RETURN NEW; END
$$;

CREATE FUNCTION custody_check_instruction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NOT EXISTS (SELECT 1 FROM reserve_instruction AS instruction WHERE instruction.record_id = NEW.instruction_key AND instruction.actor = NEW.maker AND (NEW.act <> 'approved' OR instruction.direction <> 'withdrawal' OR (NEW.computation_key IS NOT NULL AND NEW.remaining IS NOT NULL))) THEN RAISE EXCEPTION 'a decision names who made the instruction, and for a withdrawal the computation relied on'; END IF; RETURN NEW; END
$$;

CREATE FUNCTION custody_check_control_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NOT EXISTS (SELECT 1 FROM cure_act WHERE cure_act.record_id = NEW.act_key AND cure_act.maker = NEW.maker) AND NOT EXISTS (SELECT 1 FROM substitution WHERE substitution.record_id = NEW.substitution_key AND substitution.maker = NEW.maker) THEN RAISE EXCEPTION 'a decision names who recorded the act or substitution'; END IF; RETURN NEW; END
$$;

CREATE FUNCTION custody_check_change_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NOT EXISTS (SELECT 1 FROM change_proposal AS proposal WHERE proposal.record_id = NEW.proposal_key AND proposal.maker = NEW.maker AND proposal.digest = NEW.digest AND proposal.needs_approval = true AND COALESCE(proposal.maker_person, '') = COALESCE(NEW.maker_person, '')) THEN RAISE EXCEPTION 'a decision names who proposed the change, and its digest'; END IF; RETURN NEW; END
$$;

CREATE TRIGGER journal_entry_refuse_change BEFORE UPDATE OR DELETE ON journal_entry
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER journal_entry_refuse_truncate BEFORE TRUNCATE ON journal_entry
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER archived_refuse_change BEFORE UPDATE OR DELETE ON archived
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER archived_refuse_truncate BEFORE TRUNCATE ON archived
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER asset_value_refuse_change BEFORE UPDATE OR DELETE ON asset_value
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER asset_value_refuse_truncate BEFORE TRUNCATE ON asset_value
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER attachment_content_refuse_change BEFORE UPDATE OR DELETE ON attachment_content
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER attachment_content_refuse_truncate BEFORE TRUNCATE ON attachment_content
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER bundle_issued_refuse_change BEFORE UPDATE OR DELETE ON bundle_issued
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER bundle_issued_refuse_truncate BEFORE TRUNCATE ON bundle_issued
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER chain_halt_refuse_change BEFORE UPDATE OR DELETE ON chain_halt
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER chain_halt_refuse_truncate BEFORE TRUNCATE ON chain_halt
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_proposal_refuse_change BEFORE UPDATE OR DELETE ON change_proposal
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_proposal_refuse_truncate BEFORE TRUNCATE ON change_proposal
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_statement_refuse_change BEFORE UPDATE OR DELETE ON custodian_statement
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_statement_refuse_truncate BEFORE TRUNCATE ON custodian_statement
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER daily_report_refuse_change BEFORE UPDATE OR DELETE ON daily_report
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER daily_report_refuse_truncate BEFORE TRUNCATE ON daily_report
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER exception_review_refuse_change BEFORE UPDATE OR DELETE ON exception_review
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER exception_review_refuse_truncate BEFORE TRUNCATE ON exception_review
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER folder_file_refuse_change BEFORE UPDATE OR DELETE ON folder_file
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER folder_file_refuse_truncate BEFORE TRUNCATE ON folder_file
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER imported_file_refuse_change BEFORE UPDATE OR DELETE ON imported_file
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER imported_file_refuse_truncate BEFORE TRUNCATE ON imported_file
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER interned_text_refuse_change BEFORE UPDATE OR DELETE ON interned_text
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER interned_text_refuse_truncate BEFORE TRUNCATE ON interned_text
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER journal_seal_refuse_change BEFORE UPDATE OR DELETE ON journal_seal
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER journal_seal_refuse_truncate BEFORE TRUNCATE ON journal_seal
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER key_challenge_refuse_change BEFORE UPDATE OR DELETE ON key_challenge
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER key_challenge_refuse_truncate BEFORE TRUNCATE ON key_challenge
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER node_answer_refuse_change BEFORE UPDATE OR DELETE ON node_answer
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER node_answer_refuse_truncate BEFORE TRUNCATE ON node_answer
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER node_capability_refuse_change BEFORE UPDATE OR DELETE ON node_capability
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER node_capability_refuse_truncate BEFORE TRUNCATE ON node_capability
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER person_refuse_change BEFORE UPDATE OR DELETE ON person
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER person_refuse_truncate BEFORE TRUNCATE ON person
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER possession_review_refuse_change BEFORE UPDATE OR DELETE ON possession_review
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER possession_review_refuse_truncate BEFORE TRUNCATE ON possession_review
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER proof_node_refuse_change BEFORE UPDATE OR DELETE ON proof_node
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER proof_node_refuse_truncate BEFORE TRUNCATE ON proof_node
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER pulled_file_refuse_change BEFORE UPDATE OR DELETE ON pulled_file
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER pulled_file_refuse_truncate BEFORE TRUNCATE ON pulled_file
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reading_refuse_change BEFORE UPDATE OR DELETE ON reading
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reading_refuse_truncate BEFORE TRUNCATE ON reading
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_computation_refuse_change BEFORE UPDATE OR DELETE ON reserve_computation
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_computation_refuse_truncate BEFORE TRUNCATE ON reserve_computation
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER scheduled_run_refuse_change BEFORE UPDATE OR DELETE ON scheduled_run
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER scheduled_run_refuse_truncate BEFORE TRUNCATE ON scheduled_run
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER securities_run_refuse_change BEFORE UPDATE OR DELETE ON securities_run
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER securities_run_refuse_truncate BEFORE TRUNCATE ON securities_run
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_refuse_change BEFORE UPDATE OR DELETE ON sweep
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_refuse_truncate BEFORE TRUNCATE ON sweep
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_failure_refuse_change BEFORE UPDATE OR DELETE ON sweep_failure
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_failure_refuse_truncate BEFORE TRUNCATE ON sweep_failure
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER trade_settlement_refuse_change BEFORE UPDATE OR DELETE ON trade_settlement
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER trade_settlement_refuse_truncate BEFORE TRUNCATE ON trade_settlement
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transaction_proof_refuse_change BEFORE UPDATE OR DELETE ON transaction_proof
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transaction_proof_refuse_truncate BEFORE TRUNCATE ON transaction_proof
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER accepted_control_refuse_change BEFORE UPDATE OR DELETE ON accepted_control
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER accepted_control_refuse_truncate BEFORE TRUNCATE ON accepted_control
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER account_balance_refuse_change BEFORE UPDATE OR DELETE ON account_balance
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER account_balance_refuse_truncate BEFORE TRUNCATE ON account_balance
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER account_relation_refuse_change BEFORE UPDATE OR DELETE ON account_relation
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER account_relation_refuse_truncate BEFORE TRUNCATE ON account_relation
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER approval_scan_refuse_change BEFORE UPDATE OR DELETE ON approval_scan
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER approval_scan_refuse_truncate BEFORE TRUNCATE ON approval_scan
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER asset_refuse_change BEFORE UPDATE OR DELETE ON asset
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER asset_refuse_truncate BEFORE TRUNCATE ON asset
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_refuse_change BEFORE UPDATE OR DELETE ON backfill
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_refuse_truncate BEFORE TRUNCATE ON backfill
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER balance_observation_refuse_change BEFORE UPDATE OR DELETE ON balance_observation
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER balance_observation_refuse_truncate BEFORE TRUNCATE ON balance_observation
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER bank_movement_refuse_change BEFORE UPDATE OR DELETE ON bank_movement
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER bank_movement_refuse_truncate BEFORE TRUNCATE ON bank_movement
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER books_close_refuse_change BEFORE UPDATE OR DELETE ON books_close
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER books_close_refuse_truncate BEFORE TRUNCATE ON books_close
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER bundle_block_refuse_change BEFORE UPDATE OR DELETE ON bundle_block
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER bundle_block_refuse_truncate BEFORE TRUNCATE ON bundle_block
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_decision_refuse_change BEFORE UPDATE OR DELETE ON change_decision
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_decision_refuse_truncate BEFORE TRUNCATE ON change_decision
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_search_refuse_change BEFORE UPDATE OR DELETE ON change_search
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_search_refuse_truncate BEFORE TRUNCATE ON change_search
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_step_refuse_change BEFORE UPDATE OR DELETE ON change_step
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER change_step_refuse_truncate BEFORE TRUNCATE ON change_step
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER clearing_agency_refuse_change BEFORE UPDATE OR DELETE ON clearing_agency
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER clearing_agency_refuse_truncate BEFORE TRUNCATE ON clearing_agency
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER clearing_margin_refuse_change BEFORE UPDATE OR DELETE ON clearing_margin
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER clearing_margin_refuse_truncate BEFORE TRUNCATE ON clearing_margin
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER client_refuse_change BEFORE UPDATE OR DELETE ON client
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER client_refuse_truncate BEFORE TRUNCATE ON client
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER control_location_refuse_change BEFORE UPDATE OR DELETE ON control_location
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER control_location_refuse_truncate BEFORE TRUNCATE ON control_location
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER control_state_refuse_change BEFORE UPDATE OR DELETE ON control_state
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER control_state_refuse_truncate BEFORE TRUNCATE ON control_state
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER covered_block_refuse_change BEFORE UPDATE OR DELETE ON covered_block
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER covered_block_refuse_truncate BEFORE TRUNCATE ON covered_block
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER cure_act_refuse_change BEFORE UPDATE OR DELETE ON cure_act
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER cure_act_refuse_truncate BEFORE TRUNCATE ON cure_act
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_account_refuse_change BEFORE UPDATE OR DELETE ON custodian_account
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_account_refuse_truncate BEFORE TRUNCATE ON custodian_account
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_address_refuse_change BEFORE UPDATE OR DELETE ON custodian_address
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_address_refuse_truncate BEFORE TRUNCATE ON custodian_address
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_message_refuse_change BEFORE UPDATE OR DELETE ON custodian_message
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custodian_message_refuse_truncate BEFORE TRUNCATE ON custodian_message
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custody_case_refuse_change BEFORE UPDATE OR DELETE ON custody_case
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER custody_case_refuse_truncate BEFORE TRUNCATE ON custody_case
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER encumbrance_grant_refuse_change BEFORE UPDATE OR DELETE ON encumbrance_grant
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER encumbrance_grant_refuse_truncate BEFORE TRUNCATE ON encumbrance_grant
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER firm_address_refuse_change BEFORE UPDATE OR DELETE ON firm_address
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER firm_address_refuse_truncate BEFORE TRUNCATE ON firm_address
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER firm_capital_refuse_change BEFORE UPDATE OR DELETE ON firm_capital
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER firm_capital_refuse_truncate BEFORE TRUNCATE ON firm_capital
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER focus_month_end_refuse_change BEFORE UPDATE OR DELETE ON focus_month_end
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER focus_month_end_refuse_truncate BEFORE TRUNCATE ON focus_month_end
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER key_answer_refuse_change BEFORE UPDATE OR DELETE ON key_answer
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER key_answer_refuse_truncate BEFORE TRUNCATE ON key_answer
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER ledger_entry_refuse_change BEFORE UPDATE OR DELETE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER ledger_entry_refuse_truncate BEFORE TRUNCATE ON ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER lien_refuse_change BEFORE UPDATE OR DELETE ON lien
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER lien_refuse_truncate BEFORE TRUNCATE ON lien
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER login_refuse_change BEFORE UPDATE OR DELETE ON login
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER login_refuse_truncate BEFORE TRUNCATE ON login
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER other_amount_refuse_change BEFORE UPDATE OR DELETE ON other_amount
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER other_amount_refuse_truncate BEFORE TRUNCATE ON other_amount
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER pab_relief_refuse_change BEFORE UPDATE OR DELETE ON pab_relief
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER pab_relief_refuse_truncate BEFORE TRUNCATE ON pab_relief
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER person_state_refuse_change BEFORE UPDATE OR DELETE ON person_state
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER person_state_refuse_truncate BEFORE TRUNCATE ON person_state
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER pool_member_refuse_change BEFORE UPDATE OR DELETE ON pool_member
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER pool_member_refuse_truncate BEFORE TRUNCATE ON pool_member
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER position_refuse_change BEFORE UPDATE OR DELETE ON position
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER position_refuse_truncate BEFORE TRUNCATE ON position
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER price_refuse_change BEFORE UPDATE OR DELETE ON price
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER price_refuse_truncate BEFORE TRUNCATE ON price
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reconciliation_refuse_change BEFORE UPDATE OR DELETE ON reconciliation
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reconciliation_refuse_truncate BEFORE TRUNCATE ON reconciliation
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_bank_account_refuse_change BEFORE UPDATE OR DELETE ON reserve_bank_account
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_bank_account_refuse_truncate BEFORE TRUNCATE ON reserve_bank_account
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_holding_refuse_change BEFORE UPDATE OR DELETE ON reserve_holding
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_holding_refuse_truncate BEFORE TRUNCATE ON reserve_holding
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_instruction_refuse_change BEFORE UPDATE OR DELETE ON reserve_instruction
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_instruction_refuse_truncate BEFORE TRUNCATE ON reserve_instruction
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_item_refuse_change BEFORE UPDATE OR DELETE ON reserve_item
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_item_refuse_truncate BEFORE TRUNCATE ON reserve_item
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_notice_refuse_change BEFORE UPDATE OR DELETE ON reserve_notice
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_notice_refuse_truncate BEFORE TRUNCATE ON reserve_notice
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_sweep_refuse_change BEFORE UPDATE OR DELETE ON reserve_sweep
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_sweep_refuse_truncate BEFORE TRUNCATE ON reserve_sweep
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER restriction_refuse_change BEFORE UPDATE OR DELETE ON restriction
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER restriction_refuse_truncate BEFORE TRUNCATE ON restriction
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER roll_forward_refuse_change BEFORE UPDATE OR DELETE ON roll_forward
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER roll_forward_refuse_truncate BEFORE TRUNCATE ON roll_forward
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER scheduled_run_end_refuse_change BEFORE UPDATE OR DELETE ON scheduled_run_end
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER scheduled_run_end_refuse_truncate BEFORE TRUNCATE ON scheduled_run_end
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER security_fact_refuse_change BEFORE UPDATE OR DELETE ON security_fact
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER security_fact_refuse_truncate BEFORE TRUNCATE ON security_fact
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER shard_plan_refuse_change BEFORE UPDATE OR DELETE ON shard_plan
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER shard_plan_refuse_truncate BEFORE TRUNCATE ON shard_plan
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER stated_allocation_refuse_change BEFORE UPDATE OR DELETE ON stated_allocation
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER stated_allocation_refuse_truncate BEFORE TRUNCATE ON stated_allocation
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER stock_line_refuse_change BEFORE UPDATE OR DELETE ON stock_line
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER stock_line_refuse_truncate BEFORE TRUNCATE ON stock_line
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER substitution_refuse_change BEFORE UPDATE OR DELETE ON substitution
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER substitution_refuse_truncate BEFORE TRUNCATE ON substitution
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_answer_refuse_change BEFORE UPDATE OR DELETE ON sweep_answer
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_answer_refuse_truncate BEFORE TRUNCATE ON sweep_answer
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_header_refuse_change BEFORE UPDATE OR DELETE ON sweep_header
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_header_refuse_truncate BEFORE TRUNCATE ON sweep_header
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_proof_node_refuse_change BEFORE UPDATE OR DELETE ON sweep_proof_node
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_proof_node_refuse_truncate BEFORE TRUNCATE ON sweep_proof_node
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_shard_refuse_change BEFORE UPDATE OR DELETE ON sweep_shard
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_shard_refuse_truncate BEFORE TRUNCATE ON sweep_shard
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER token_layout_refuse_change BEFORE UPDATE OR DELETE ON token_layout
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER token_layout_refuse_truncate BEFORE TRUNCATE ON token_layout
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER trade_refuse_change BEFORE UPDATE OR DELETE ON trade
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER trade_refuse_truncate BEFORE TRUNCATE ON trade
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transfer_authorization_refuse_change BEFORE UPDATE OR DELETE ON transfer_authorization
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transfer_authorization_refuse_truncate BEFORE TRUNCATE ON transfer_authorization
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER wallet_refuse_change BEFORE UPDATE OR DELETE ON wallet
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER wallet_refuse_truncate BEFORE TRUNCATE ON wallet
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER wallet_descriptor_refuse_change BEFORE UPDATE OR DELETE ON wallet_descriptor
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER wallet_descriptor_refuse_truncate BEFORE TRUNCATE ON wallet_descriptor
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER approval_candidate_refuse_change BEFORE UPDATE OR DELETE ON approval_candidate
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER approval_candidate_refuse_truncate BEFORE TRUNCATE ON approval_candidate
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_failure_refuse_change BEFORE UPDATE OR DELETE ON backfill_failure
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_failure_refuse_truncate BEFORE TRUNCATE ON backfill_failure
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_item_refuse_change BEFORE UPDATE OR DELETE ON backfill_item
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_item_refuse_truncate BEFORE TRUNCATE ON backfill_item
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_run_refuse_change BEFORE UPDATE OR DELETE ON backfill_run
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_run_refuse_truncate BEFORE TRUNCATE ON backfill_run
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER case_event_refuse_change BEFORE UPDATE OR DELETE ON case_event
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER case_event_refuse_truncate BEFORE TRUNCATE ON case_event
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER control_decision_refuse_change BEFORE UPDATE OR DELETE ON control_decision
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER control_decision_refuse_truncate BEFORE TRUNCATE ON control_decision
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER credential_refuse_change BEFORE UPDATE OR DELETE ON credential
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER credential_refuse_truncate BEFORE TRUNCATE ON credential
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER cure_receipt_refuse_change BEFORE UPDATE OR DELETE ON cure_receipt
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER cure_receipt_refuse_truncate BEFORE TRUNCATE ON cure_receipt
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER encumbrance_review_refuse_change BEFORE UPDATE OR DELETE ON encumbrance_review
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER encumbrance_review_refuse_truncate BEFORE TRUNCATE ON encumbrance_review
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER login_end_refuse_change BEFORE UPDATE OR DELETE ON login_end
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER login_end_refuse_truncate BEFORE TRUNCATE ON login_end
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER orphaned_block_refuse_change BEFORE UPDATE OR DELETE ON orphaned_block
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER orphaned_block_refuse_truncate BEFORE TRUNCATE ON orphaned_block
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER proof_gap_refuse_change BEFORE UPDATE OR DELETE ON proof_gap
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER proof_gap_refuse_truncate BEFORE TRUNCATE ON proof_gap
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_decision_refuse_change BEFORE UPDATE OR DELETE ON reserve_decision
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER reserve_decision_refuse_truncate BEFORE TRUNCATE ON reserve_decision
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER shard_failure_refuse_change BEFORE UPDATE OR DELETE ON shard_failure
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER shard_failure_refuse_truncate BEFORE TRUNCATE ON shard_failure
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER statement_check_refuse_change BEFORE UPDATE OR DELETE ON statement_check
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER statement_check_refuse_truncate BEFORE TRUNCATE ON statement_check
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER traced_block_refuse_change BEFORE UPDATE OR DELETE ON traced_block
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER traced_block_refuse_truncate BEFORE TRUNCATE ON traced_block
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transfer_refuse_change BEFORE UPDATE OR DELETE ON transfer
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transfer_refuse_truncate BEFORE TRUNCATE ON transfer
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER unparsed_events_refuse_change BEFORE UPDATE OR DELETE ON unparsed_events
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER unparsed_events_refuse_truncate BEFORE TRUNCATE ON unparsed_events
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER weaker_scan_refuse_change BEFORE UPDATE OR DELETE ON weaker_scan
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER weaker_scan_refuse_truncate BEFORE TRUNCATE ON weaker_scan
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_unparsed_refuse_change BEFORE UPDATE OR DELETE ON backfill_unparsed
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfill_unparsed_refuse_truncate BEFORE TRUNCATE ON backfill_unparsed
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfilled_transfer_refuse_change BEFORE UPDATE OR DELETE ON backfilled_transfer
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER backfilled_transfer_refuse_truncate BEFORE TRUNCATE ON backfilled_transfer
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER case_cover_refuse_change BEFORE UPDATE OR DELETE ON case_cover
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER case_cover_refuse_truncate BEFORE TRUNCATE ON case_cover
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER credential_end_refuse_change BEFORE UPDATE OR DELETE ON credential_end
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER credential_end_refuse_truncate BEFORE TRUNCATE ON credential_end
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_end_refuse_change BEFORE UPDATE OR DELETE ON sweep_end
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER sweep_end_refuse_truncate BEFORE TRUNCATE ON sweep_end
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transfer_match_refuse_change BEFORE UPDATE OR DELETE ON transfer_match
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER transfer_match_refuse_truncate BEFORE TRUNCATE ON transfer_match
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER approval_use_refuse_change BEFORE UPDATE OR DELETE ON approval_use
FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER approval_use_refuse_truncate BEFORE TRUNCATE ON approval_use
FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();

CREATE TRIGGER case_event_decision BEFORE INSERT ON case_event
FOR EACH ROW EXECUTE FUNCTION custody_check_decision();

CREATE TRIGGER reserve_decision_maker BEFORE INSERT ON reserve_decision
FOR EACH ROW EXECUTE FUNCTION custody_check_instruction();

CREATE TRIGGER control_decision_maker BEFORE INSERT ON control_decision
FOR EACH ROW EXECUTE FUNCTION custody_check_control_decision();

CREATE TRIGGER change_decision_maker BEFORE INSERT ON change_decision
FOR EACH ROW EXECUTE FUNCTION custody_check_change_decision();

CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0001');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (1, 'schema.migrated', 'administrator', '2026-03-02 12:00:00+00:00', NULL, '{"from":"","to":"0001"}', '', '0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (2, 'import', 'ops.maker', '2026-03-02 12:00:00.000001+00:00', NULL, '{"files":[{"name":"mapping","sha256":"6d617070696e6700000000000000000000000000000000000000000000000000"}]}', '', 'ca60926f6f7d3666333e725a452eb9a67a670b1a1c3a1354428e5fa73f35dd61');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (3, 'import', 'ops.maker', '2026-03-02 12:01:00+00:00', NULL, '{"files":[{"name":"books","sha256":"626f6f6b73000000000000000000000000000000000000000000000000000000"}]}', '', 'b849c1087c0d9a44967a0be73ef9fdebd2a4673f1f7456df19bca68a9d9e2a01');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (4, 'sweep.started', 'scheduler', '2026-03-02 12:10:00+00:00', NULL, '{"block_hash":"0x000000000000000000000000000000000000000000000000000000000000000a","chain_id":"eip155:31337","expected":3,"height":10}', '', '7dd80452d95d39cc2b2673ca1417a3609db1aff397b9208ad39535bfd2700822');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (5, 'sweep.shard', 'scheduler', '2026-03-02 12:10:00.000001+00:00', NULL, '{"shard":0,"sweep_id":"eip155:31337/10/1"}', '', '9afe5237df16c35ec910f204ff392642ca69be4b94e4cc4f9d3888fdd6f35dee');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (6, 'sweep.shard', 'scheduler', '2026-03-02 12:10:00.000002+00:00', '2026-03-02 12:10:00+00:00', '{"shard":1,"sweep_id":"eip155:31337/10/1"}', '', 'f2839f4116e81da8bbf2176ff4968a42c566053a86301de057ef06d18f519757');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (7, 'sweep.blocks', 'scheduler', '2026-03-02 12:10:00.000003+00:00', '2026-03-02 12:10:00+00:00', '{"first_height":8,"last_height":10,"sweep_id":"eip155:31337/10/1"}', '', 'cccfb4328f11c49e8273bf3198c356b219d9804d5cbacbb1573fc75c59b7b040');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (8, 'sweep.completed', 'scheduler', '2026-03-02 12:10:00.000004+00:00', '2026-03-02 12:10:00+00:00', '{"expected":3,"sweep_id":"eip155:31337/10/1"}', '', 'f5851c5d58198307ef6d8195741ccab114d168fafe8e97914c8b7967fda6c76c');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (9, 'sweep.started', 'scheduler', '2026-03-02 12:30:00+00:00', NULL, '{"block_hash":"0x0000000000000000000000000000000000000000000000000000000000000014","chain_id":"eip155:31337","expected":3,"height":20}', '', 'd077038d3efd798900dc0740ed99f5b25bb1d7d91df477b89d5f697f7412ee99');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (10, 'sweep.shard', 'scheduler', '2026-03-02 12:30:00.000001+00:00', NULL, '{"shard":0,"sweep_id":"eip155:31337/20/1"}', '', '6a3a96fd417c74183454cc120fc33b6a1b7a7d4d6aad3374b4acceae2f8c3b52');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (11, 'sweep.shard', 'scheduler', '2026-03-02 12:30:00.000002+00:00', '2026-03-02 12:30:00+00:00', '{"shard":1,"sweep_id":"eip155:31337/20/1"}', '', '202bf537fcd206b36011c059a9dfe6d422bdc72742710c36c9c256800b5a9fae');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (12, 'sweep.blocks', 'scheduler', '2026-03-02 12:30:00.000003+00:00', '2026-03-02 12:30:00+00:00', '{"first_height":11,"last_height":20,"sweep_id":"eip155:31337/20/1"}', '', 'c46d62bcd52dd61c4b4d4103ea5fffd36f1b366926b82b6c8b5f312572dd3d71');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (13, 'sweep.completed', 'scheduler', '2026-03-02 12:30:00.000004+00:00', '2026-03-02 12:30:00+00:00', '{"expected":3,"sweep_id":"eip155:31337/20/1"}', '', 'e89f7ed3c1ac0db8f50e2817624375c97fdf5be2ccbf9dca79b21805e6074b63');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (14, 'case.proposed', 'ops.maker', '2026-03-02 12:40:00+00:00', NULL, '{"case_id":"CASE-000001"}', '', '5f3b21399f051dd2ed50a07137febe6fda2a27e911af9af41b203c387eb76d3b');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (15, 'case.approved', 'ops.checker', '2026-03-02 12:41:00+00:00', NULL, '{"case_id":"CASE-000001"}', '', '9fc3d8d9670ef637f9a4d5e800aa4eeaa61e77af7546208ef5d27bf5de8d317e');
INSERT INTO journal_entry ("sequence", "kind", "actor", "recorded_at", "clock_at", "payload", "origin", "previous_digest") VALUES (16, 'case.proposed', 'ops.maker', '2026-03-02 12:42:00+00:00', NULL, '{"case_id":"CASE-000002"}', '', '1e495a2c5818fd12ecd21992247c7f8a9d65383ea39d12d247eca997cd55850c');
INSERT INTO asset_value ("record_id", "journal_sequence", "asset_id", "symbol", "decimals") VALUES (1, 5, 'eip155:31337/erc20:0xcccccccccccccccccccccccccccccccccccccccc', 'USDX', 6);
INSERT INTO asset_value ("record_id", "journal_sequence", "asset_id", "symbol", "decimals") VALUES (2, 5, 'eip155:31337/slip44:60', 'ETH', 18);
INSERT INTO imported_file ("record_id", "journal_sequence", "recorded_at", "digest", "name", "row_count") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', '6d617070696e6700000000000000000000000000000000000000000000000000', 'mapping', 11);
INSERT INTO imported_file ("record_id", "journal_sequence", "recorded_at", "digest", "name", "row_count") VALUES (2, 3, '2026-03-02 12:01:00+00:00', '626f6f6b73000000000000000000000000000000000000000000000000000000', 'books', 3);
INSERT INTO interned_text ("record_id", "journal_sequence", "text") VALUES (1, 2, 'eip155:31337:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO interned_text ("record_id", "journal_sequence", "text") VALUES (2, 2, 'eip155:31337/erc20:0xcccccccccccccccccccccccccccccccccccccccc');
INSERT INTO interned_text ("record_id", "journal_sequence", "text") VALUES (3, 3, 'eip155:31337/slip44:60');
INSERT INTO interned_text ("record_id", "journal_sequence", "text") VALUES (4, 3, 'eip155:31337:0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb');
INSERT INTO interned_text ("record_id", "journal_sequence", "text") VALUES (5, 3, 'C-1');
INSERT INTO interned_text ("record_id", "journal_sequence", "text") VALUES (6, 3, 'C-2');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (1, '{}', '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 'ca60926f6f7d3666333e725a452eb9a67a670b1a1c3a1354428e5fa73f35dd61');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (2, '{"asset":[1,2,12,"bba04e016625b5860713cd18a2751d4230d0752189c67dd4a5ebc50efc11f10b"],"client":[1,2,9,"b7c88b9808f882393cf0ae43984afe9b02cd35c310ad8656c11cdb4cc7a151fb"],"custodian_address":[1,1,10,"70c8d667f6fdfddae28ba7be6145b7835af4865df832261f8db1e1e32f73320a"],"firm_address":[1,1,11,"1a6f2eb534f1a021d52e84c7a7aeb5fd40158698667807d26fff8693108be980"],"imported_file":[1,1,6,"61acf866b23276e338c64d47a2fd7c09c441127d52478808aa84042820241c29"],"interned_text":[1,2,3,"5450d4a3eb8a0185a35eddb0fd91c6b831c48a672903eac63be9bd7f018faa15"],"pool_member":[1,1,10,"504d76ca345a9d02866f25bb621736639fa2d0bd1bcaafe316aa9df70b4b5771"],"position":[1,1,12,"f12272aa0feb5e88ddd9cdbbcfad2103f79b1aee606e903fa5f4c38d050cf49d"],"transfer_authorization":[1,1,20,"660cf64cdf8a8ac60ccf50af40b42b3550a7d6f6169c5f80ce357629654d720c"],"wallet":[1,2,20,"ca65a64bb8c4ff39868c1ecffe087a5b836ad35e18c18c7777f7856c03178745"]}', '575e719d885b75d5d40547048034f6514bc5adef2887533d0115b90d314294a3', 'b849c1087c0d9a44967a0be73ef9fdebd2a4673f1f7456df19bca68a9d9e2a01');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (3, '{"imported_file":[2,1,6,"90f5496ac3d93137871be8108b9f1fd696165a047d1873d84682534b42b13a1e"],"interned_text":[3,4,3,"52629df31191c255fc3fb9ec2130918e06d51617cbaf8062cfdf42cb3dac168e"],"ledger_entry":[1,3,14,"21e39e8da3f6b0863cfdd0efaa3aef4ed9cb68c2f40a48966d4864a67240de95"],"stated_allocation":[1,3,12,"ab586b640e897235ef670aaaf11cfaef7031443a3152ce37a5b549948c9bb059"]}', '3723ece7ed59dd067866b53de8c4f68706b4c4d5d12b40d5ede97c06d73b25a4', '7dd80452d95d39cc2b2673ca1417a3609db1aff397b9208ad39535bfd2700822');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (4, '{"sweep":[1,1,14,"b0ba3668278c872ed8bb75f0ca03cca7c58b4d0467812553666b2d8611aa34b0"]}', 'c3406ebd7f71df22f74e8c63f5618cd1e2aa09a73b95ab7df467c5fa6788935c', '9afe5237df16c35ec910f204ff392642ca69be4b94e4cc4f9d3888fdd6f35dee');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (5, '{"asset_value":[1,2,5,"7e17ccff8f2a25e1d7f0bc8f2fbd41face56a78e8cab374e2bd47bc95ad9e26f"],"balance_observation":[1,2,8,"d29c556468cf21d9583b1d29b58e72a09ab40433a09ce9c651640358b0ec814b"],"reading":[1,1,6,"c7e80c13f94baa82b694cad888e60032dfdcd302dc7aa925ec8b10583bc93977"],"sweep_shard":[1,1,6,"81d2ed677504f9b127fa551697da8bce5cebac70330d623e600e1a13930a51c7"]}', '7e539e852ca18ed69af3a1f9f9cf8160a1ab563275b0b113176a7fdf7ef12846', 'f2839f4116e81da8bbf2176ff4968a42c566053a86301de057ef06d18f519757');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (6, '{"balance_observation":[3,1,8,"63ec612af8578dd1877a2ce1ab55dbc84fe3a5fd1c8adbd675697cc0504066fa"],"sweep_shard":[2,1,6,"0f8c5a03f64107732e08cb029a0b5e093148d704ae24c4187140cd3a2bdb12dd"]}', 'f0015204e29e60334e21e69d467bc2f37687f93b2dbee51ec9db043783ff6c71', 'cccfb4328f11c49e8273bf3198c356b219d9804d5cbacbb1573fc75c59b7b040');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (7, '{"covered_block":[1,3,10,"01d9eb0567e0eb35984632c1b33ba78aaead0a712d89c3c0b222bbb3c325cdcc"],"transfer":[1,2,10,"922eb2fbca65d44b395b6e58f7b8ee9ffd2e6796a8db716fe04f78eec7bed22a"]}', 'cd1afe463bf8d3fdd6e054065786b48ca4dae08cad0296126403683891b75ffa', 'f5851c5d58198307ef6d8195741ccab114d168fafe8e97914c8b7967fda6c76c');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (8, '{"approval_use":[1,2,5,"1264210c8b1f114438a28f610abd6caee3da3fc5ac55ab47a4bf46ff499df81a"],"case_cover":[1,1,5,"d7f5c5c1891aa43967845f62d1d8fa78e80b1cb801f08639552710294170ce4a"],"case_event":[1,3,22,"046758abf5ac1897182d48726bdbabaa61b0a6362ceb6f86ed2e678663707243"],"custody_case":[1,3,12,"4b66ebca93df94ccb60c6abc001e8bf809d58221ceabe987bbfebd22d9f90539"],"reconciliation":[1,3,17,"4562a1df6744028c0bbc8bd2d659340b6bc513a996846edab3e9c23053de79fd"],"statement_check":[1,1,9,"ae02530147516f6f0262aa7806c1fcd555efac428fb580fd95c17afff6e35e56"],"sweep_end":[1,1,18,"a3a3e248f2998c5339e8a8d7502b659f968bc53608fdd74c849ed4f3ec3c322a"],"transfer_match":[1,1,9,"c0c9dd6cb98e0ed27459385dc508f31c1df537317507066c2c1126309de942eb"]}', 'c63eeaeb4b8fb309c07a33f8f24e2e17e68af312625de70dd4ae3f3e8ef8cc37', 'd077038d3efd798900dc0740ed99f5b25bb1d7d91df477b89d5f697f7412ee99');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (9, '{"sweep":[2,1,14,"6d58adeb1e8c628fd830622e53fa20cff59be0cf953386537d7bd066f85a7aba"]}', '3286220def441c377df824f8a1ad7052601010280fe22d70dcd499c7d4ef83db', '6a3a96fd417c74183454cc120fc33b6a1b7a7d4d6aad3374b4acceae2f8c3b52');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (10, '{"balance_observation":[4,2,8,"3c41fa8c5f78ad0efa2f9f5080c8e625d4c8746910cb7de1261ea5d8d1bf2827"],"sweep_shard":[3,1,6,"e87c0bca81010cd271c26f6a4714f8d3394dde0839fb2f9149bf4fed4db2a4cf"]}', '203cb2db390e10128f287b1ebf366143d7e9a38ab89004262660073e1f378f49', '202bf537fcd206b36011c059a9dfe6d422bdc72742710c36c9c256800b5a9fae');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (11, '{"balance_observation":[6,1,8,"3a0ebf71162dcf3a7fd7b82e7dec89f017a14f7c1eff2d17ad9b0a4b2f1f3ad7"],"sweep_shard":[4,1,6,"9cb95c5478c33249baf3772b3a480cf7eede5270f029f0051b6b0f9f3a32351c"]}', '3201f3bfdf69fe45bb2384a82666af7770db612c4ee6ecb7d212af90e72ad677', 'c46d62bcd52dd61c4b4d4103ea5fffd36f1b366926b82b6c8b5f312572dd3d71');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (12, '{"covered_block":[4,10,10,"e97600992c809d57a50c2362a84f79133e7265ad48430fd58f9753144bb93269"],"transfer":[3,2,10,"aeada1aea9770b9a2c824ddf253488e143c48f9392a267a18eb0741c3aba8c28"]}', '38177f427a64742b9d74df6fdf83d62c8a84c6acc9f567ad4b2c2c5819b73352', 'e89f7ed3c1ac0db8f50e2817624375c97fdf5be2ccbf9dca79b21805e6074b63');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (13, '{"approval_use":[3,2,5,"e1cd0f0ddd4e7c365601882c8ef31f3fc420c6ba07792e2197367994ec7b0293"],"case_event":[4,1,22,"b2bda0b9f2b3d42a0fa111a53933c09e8880615c1ecc9480dfa09fb3b7ac0757"],"custody_case":[4,1,12,"9f04ce04ae83fa5cc8e760ba514a94b99e4b19d25582fac2e80ca5d1b29267b7"],"reconciliation":[4,3,17,"2182f07e41bd4549fb77cc619735383360daa06ddd461527e530802ee959512a"],"statement_check":[2,1,9,"daa64dce20ced4acbc746bb4ea3aa2f4ceecc27358bf128952a95aab91d9e36b"],"sweep_end":[2,1,18,"66bf77793b7d7ad977f93a4d35a5eebd58e19f3af360ce3f625a889dcc4fad09"],"transfer_match":[2,1,9,"d8ebb8cfc23f05052daf743352bcc809ad8dba3b21240e6e0ebd40ef7bae6aa0"]}', 'bb729e324055d677dfe5eced82d34d2a3cac7527e4dfa6a0ecb442a2b458ed57', '5f3b21399f051dd2ed50a07137febe6fda2a27e911af9af41b203c387eb76d3b');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (14, '{"case_event":[5,1,22,"c1bb7abca006e577bae68806e028b206ec6fee234cc71fb877ee78a6fd1f8605"]}', 'bc5bd7eb0999811a649050b96d4f547bbb4284751696e6215d9296db4b88a475', '9fc3d8d9670ef637f9a4d5e800aa4eeaa61e77af7546208ef5d27bf5de8d317e');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (15, '{"case_event":[6,1,22,"126315eeaedb2c268d49b44c55cb85220971df76733a475f35c816f57d64cc98"]}', '6e993f5d9b6affbc6dbc2ac892dc3399b30755fdc581a1f75b562380276c4e77', '1e495a2c5818fd12ecd21992247c7f8a9d65383ea39d12d247eca997cd55850c');
INSERT INTO journal_seal ("sequence", "rows", "rows_digest", "entry_digest") VALUES (16, '{"case_event":[7,1,22,"d4d5ab62bc15c1cefeec4181cfc282b19e8070ea5949819ffabb984072cf1b66"]}', '9f05c1fc70055d8cbdde785cc43443d31e6a10254e566a633c3f3c2c39a804f9', '55bc33405dde4b7dad9e9c031acc5fa84e5a2bed6c90ee7cf2d911c232565105');
INSERT INTO reading ("record_id", "journal_sequence", "method", "node_id", "state", "anchor") VALUES (1, 5, 'batch', 'node-a', 'read', 'single');
INSERT INTO sweep ("record_id", "journal_sequence", "recorded_at", "sweep_id", "chain_id", "height", "block_hash", "parent_hash", "block_time", "finality", "node_id", "header_checked", "known_at", "expected") VALUES (1, 4, '2026-03-02 12:10:00+00:00', 'eip155:31337/10/1', 'eip155:31337', 10, '0x000000000000000000000000000000000000000000000000000000000000000a', '0x0000000000000000000000000000000000000000000000000000000000000009', '2026-03-02 11:02:00+00:00', 'confirmed(2)', 'node-a', 'True', '2026-03-02 12:10:00+00:00', 3);
INSERT INTO sweep ("record_id", "journal_sequence", "recorded_at", "sweep_id", "chain_id", "height", "block_hash", "parent_hash", "block_time", "finality", "node_id", "header_checked", "known_at", "expected") VALUES (2, 9, '2026-03-02 12:30:00+00:00', 'eip155:31337/20/1', 'eip155:31337', 20, '0x0000000000000000000000000000000000000000000000000000000000000014', '0x0000000000000000000000000000000000000000000000000000000000000013', '2026-03-02 11:04:00+00:00', 'confirmed(2)', 'node-a', 'True', '2026-03-02 12:30:00+00:00', 3);
INSERT INTO asset ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "asset_id", "symbol", "decimals", "legal_class", "legal_class_from", "legal_class_reference", "dust_limit") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 4, 'eip155:31337/slip44:60', 'ETH', 18, 'non_security_crypto', '2026-01-01', 'memo 1', '1000000000000000');
INSERT INTO asset ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "asset_id", "symbol", "decimals", "legal_class", "legal_class_from", "legal_class_reference", "dust_limit") VALUES (2, 2, '2026-03-02 12:00:00.000001+00:00', 1, 5, 'eip155:31337/erc20:0xcccccccccccccccccccccccccccccccccccccccc', 'USDX', 6, 'payment_stablecoin', '2026-01-01', 'memo 2', '0');
INSERT INTO balance_observation ("record_id", "journal_sequence", "sweep_key", "location_key", "asset_key", "reading_key", "base_units", "reason") VALUES (1, 5, 1, 1, 1, 1, '1200', NULL);
INSERT INTO balance_observation ("record_id", "journal_sequence", "sweep_key", "location_key", "asset_key", "reading_key", "base_units", "reason") VALUES (2, 5, 1, 1, 2, 1, NULL, 'node-unavailable: it did not answer');
INSERT INTO balance_observation ("record_id", "journal_sequence", "sweep_key", "location_key", "asset_key", "reading_key", "base_units", "reason") VALUES (3, 6, 1, 4, 2, 1, '3000000000000000000', NULL);
INSERT INTO balance_observation ("record_id", "journal_sequence", "sweep_key", "location_key", "asset_key", "reading_key", "base_units", "reason") VALUES (4, 10, 2, 1, 1, 1, '1200', NULL);
INSERT INTO balance_observation ("record_id", "journal_sequence", "sweep_key", "location_key", "asset_key", "reading_key", "base_units", "reason") VALUES (5, 10, 2, 1, 2, 1, NULL, 'node-unavailable: it did not answer');
INSERT INTO balance_observation ("record_id", "journal_sequence", "sweep_key", "location_key", "asset_key", "reading_key", "base_units", "reason") VALUES (6, 11, 2, 4, 2, 1, '3000000000000000000', NULL);
INSERT INTO client ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "client_id", "name", "opened_on", "closed_on") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 2, 'C-1', 'Alpha', '2026-01-01', NULL);
INSERT INTO client ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "client_id", "name", "opened_on", "closed_on") VALUES (2, 2, '2026-03-02 12:00:00.000001+00:00', 1, 3, 'C-2', 'Beta', '2026-01-01', NULL);
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (1, 7, 1, 'eip155:31337', 8, '0x0000000000000000000000000000000000000000000000000000000000000008', '0x0000000000000000000000000000000000000000000000000000000000000007', '2026-03-02 11:01:36+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (2, 7, 1, 'eip155:31337', 9, '0x0000000000000000000000000000000000000000000000000000000000000009', '0x0000000000000000000000000000000000000000000000000000000000000008', '2026-03-02 11:01:48+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (3, 7, 1, 'eip155:31337', 10, '0x000000000000000000000000000000000000000000000000000000000000000a', '0x0000000000000000000000000000000000000000000000000000000000000009', '2026-03-02 11:02:00+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (4, 12, 2, 'eip155:31337', 11, '0x000000000000000000000000000000000000000000000000000000000000000b', '0x000000000000000000000000000000000000000000000000000000000000000a', '2026-03-02 11:02:12+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (5, 12, 2, 'eip155:31337', 12, '0x000000000000000000000000000000000000000000000000000000000000000c', '0x000000000000000000000000000000000000000000000000000000000000000b', '2026-03-02 11:02:24+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (6, 12, 2, 'eip155:31337', 13, '0x000000000000000000000000000000000000000000000000000000000000000d', '0x000000000000000000000000000000000000000000000000000000000000000c', '2026-03-02 11:02:36+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (7, 12, 2, 'eip155:31337', 14, '0x000000000000000000000000000000000000000000000000000000000000000e', '0x000000000000000000000000000000000000000000000000000000000000000d', '2026-03-02 11:02:48+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (8, 12, 2, 'eip155:31337', 15, '0x000000000000000000000000000000000000000000000000000000000000000f', '0x000000000000000000000000000000000000000000000000000000000000000e', '2026-03-02 11:03:00+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (9, 12, 2, 'eip155:31337', 16, '0x0000000000000000000000000000000000000000000000000000000000000010', '0x000000000000000000000000000000000000000000000000000000000000000f', '2026-03-02 11:03:12+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (10, 12, 2, 'eip155:31337', 17, '0x0000000000000000000000000000000000000000000000000000000000000011', '0x0000000000000000000000000000000000000000000000000000000000000010', '2026-03-02 11:03:24+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (11, 12, 2, 'eip155:31337', 18, '0x0000000000000000000000000000000000000000000000000000000000000012', '0x0000000000000000000000000000000000000000000000000000000000000011', '2026-03-02 11:03:36+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (12, 12, 2, 'eip155:31337', 19, '0x0000000000000000000000000000000000000000000000000000000000000013', '0x0000000000000000000000000000000000000000000000000000000000000012', '2026-03-02 11:03:48+00:00', 'node-a', 'logs');
INSERT INTO covered_block ("record_id", "journal_sequence", "sweep_key", "chain_id", "height", "block_hash", "parent_hash", "block_time", "node_id", "mode") VALUES (13, 12, 2, 'eip155:31337', 20, '0x0000000000000000000000000000000000000000000000000000000000000014', '0x0000000000000000000000000000000000000000000000000000000000000013', '2026-03-02 11:04:00+00:00', 'node-a', 'logs');
INSERT INTO custodian_address ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "custodian", "chain_id", "address", "mpc_vault", "as_of") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 10, 'Example Custody', 'eip155:31337', '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'vault-1', '2026-03-02 06:00:00+00:00');
INSERT INTO custody_case ("record_id", "journal_sequence", "recorded_at", "case_id", "finding_key", "occurrence", "kind", "rail", "location_id", "asset_key", "subject", "chain_id") VALUES (1, 8, '2026-03-02 12:10:00.000004+00:00', 'CASE-000001', '9656e4c018c5d47793c5430ff2950c7fd1e1d81b46b60b1f9102dca6711ec400', 1, 'shortfall', 'digital', 'eip155:31337:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, '', 'eip155:31337');
INSERT INTO custody_case ("record_id", "journal_sequence", "recorded_at", "case_id", "finding_key", "occurrence", "kind", "rail", "location_id", "asset_key", "subject", "chain_id") VALUES (2, 8, '2026-03-02 12:10:00.000004+00:00', 'CASE-000002', '45afed94290e091148503fdc75e1aa0059ba81fe745bca50bd607d45ecd08a70', 1, 'unverified', 'digital', 'eip155:31337:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, '', 'eip155:31337');
INSERT INTO custody_case ("record_id", "journal_sequence", "recorded_at", "case_id", "finding_key", "occurrence", "kind", "rail", "location_id", "asset_key", "subject", "chain_id") VALUES (3, 8, '2026-03-02 12:10:00.000004+00:00', 'CASE-000003', '475d5ba3697d97f67ee9d9bc195551857b433edbcf30f737df858c23ea2a8e29', 1, 'unauthorized_transfer', 'digital', 'eip155:31337:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'eip155:31337/0x000000000000000000000000000000000000000000000000000000000000000a/0x0000000000000000000000000000000000000000000000000000000000000007/token/0', 'eip155:31337');
INSERT INTO custody_case ("record_id", "journal_sequence", "recorded_at", "case_id", "finding_key", "occurrence", "kind", "rail", "location_id", "asset_key", "subject", "chain_id") VALUES (4, 13, '2026-03-02 12:30:00.000004+00:00', 'CASE-000004', 'badd1492bb27175f4d428ee5e25f674441cbf8dba67e0759971229c755533f73', 1, 'unauthorized_transfer', 'digital', 'eip155:31337:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'eip155:31337/0x0000000000000000000000000000000000000000000000000000000000000014/0x0000000000000000000000000000000000000000000000000000000000000007/token/0', 'eip155:31337');
INSERT INTO firm_address ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "chain_id", "address", "label", "valid_from", "valid_until", "tops_up_gas") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 9, 'eip155:31337', '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', 'operating', '2026-01-01', NULL, 'False');
INSERT INTO ledger_entry ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "entry_id", "client_key", "account_class", "location_key", "asset_key", "base_units", "effective_at", "kind", "corrects") VALUES (1, 3, '2026-03-02 12:01:00+00:00', 2, 2, 'snapshot:626f6f6b73000000000000000000000000000000000000000000000000000000:2', 5, 'customer', 1, 2, '1000', '2026-03-02 06:00:00+00:00', 'snapshot', '');
INSERT INTO ledger_entry ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "entry_id", "client_key", "account_class", "location_key", "asset_key", "base_units", "effective_at", "kind", "corrects") VALUES (2, 3, '2026-03-02 12:01:00+00:00', 2, 3, 'snapshot:626f6f6b73000000000000000000000000000000000000000000000000000000:3', 6, 'customer', 1, 2, '500', '2026-03-02 06:00:00+00:00', 'snapshot', '');
INSERT INTO ledger_entry ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "entry_id", "client_key", "account_class", "location_key", "asset_key", "base_units", "effective_at", "kind", "corrects") VALUES (3, 3, '2026-03-02 12:01:00+00:00', 2, 4, 'snapshot:626f6f6b73000000000000000000000000000000000000000000000000000000:4', 5, 'customer', 4, 3, '3000000000000000000', '2026-03-02 06:00:00+00:00', 'snapshot', '');
INSERT INTO pool_member ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "pool_id", "chain_id", "address", "from_date", "to_date") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 8, 'P-1', 'eip155:31337', '0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-01-01', NULL);
INSERT INTO position ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "location_key", "asset_key", "base_units", "as_of", "source", "stated_by", "statement_id") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 12, 1, 2, '1500', '2026-03-02 06:00:00+00:00', 'custodian', 'Example Custody', 'ST-1');
INSERT INTO reconciliation ("record_id", "journal_sequence", "sweep_key", "rail", "location_key", "asset_key", "status", "claimed", "gas_float_recorded", "gas_float_observed", "observed", "difference", "claimed_as_of", "observed_as_of", "state", "anchor", "reason") VALUES (1, 8, 1, 'digital', 1, 2, 'unverified', '0', '0', '0', NULL, NULL, NULL, NULL, 'read', 'single', 'node-unavailable: it did not answer');
INSERT INTO reconciliation ("record_id", "journal_sequence", "sweep_key", "rail", "location_key", "asset_key", "status", "claimed", "gas_float_recorded", "gas_float_observed", "observed", "difference", "claimed_as_of", "observed_as_of", "state", "anchor", "reason") VALUES (2, 8, 1, 'digital', 1, 1, 'diverged', '1500', '0', '0', '1200', '-300', NULL, NULL, 'read', 'single', NULL);
INSERT INTO reconciliation ("record_id", "journal_sequence", "sweep_key", "rail", "location_key", "asset_key", "status", "claimed", "gas_float_recorded", "gas_float_observed", "observed", "difference", "claimed_as_of", "observed_as_of", "state", "anchor", "reason") VALUES (3, 8, 1, 'digital', 4, 2, 'matched', '3000000000000000000', '0', '0', '3000000000000000000', '0', NULL, NULL, 'read', 'single', NULL);
INSERT INTO reconciliation ("record_id", "journal_sequence", "sweep_key", "rail", "location_key", "asset_key", "status", "claimed", "gas_float_recorded", "gas_float_observed", "observed", "difference", "claimed_as_of", "observed_as_of", "state", "anchor", "reason") VALUES (4, 13, 2, 'digital', 1, 2, 'unverified', '0', '0', '0', NULL, NULL, NULL, NULL, 'read', 'single', 'node-unavailable: it did not answer');
INSERT INTO reconciliation ("record_id", "journal_sequence", "sweep_key", "rail", "location_key", "asset_key", "status", "claimed", "gas_float_recorded", "gas_float_observed", "observed", "difference", "claimed_as_of", "observed_as_of", "state", "anchor", "reason") VALUES (5, 13, 2, 'digital', 1, 1, 'diverged', '1500', '0', '0', '1200', '-300', NULL, NULL, 'read', 'single', NULL);
INSERT INTO reconciliation ("record_id", "journal_sequence", "sweep_key", "rail", "location_key", "asset_key", "status", "claimed", "gas_float_recorded", "gas_float_observed", "observed", "difference", "claimed_as_of", "observed_as_of", "state", "anchor", "reason") VALUES (6, 13, 2, 'digital', 4, 2, 'matched', '3000000000000000000', '0', '0', '3000000000000000000', '0', NULL, NULL, 'read', 'single', NULL);
INSERT INTO stated_allocation ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "client_key", "account_class", "location_key", "asset_key", "base_units", "as_of", "is_gas_float") VALUES (1, 3, '2026-03-02 12:01:00+00:00', 2, 2, 5, 'customer', 1, 2, '1000', '2026-03-02 06:00:00+00:00', 'False');
INSERT INTO stated_allocation ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "client_key", "account_class", "location_key", "asset_key", "base_units", "as_of", "is_gas_float") VALUES (2, 3, '2026-03-02 12:01:00+00:00', 2, 3, 6, 'customer', 1, 2, '500', '2026-03-02 06:00:00+00:00', 'False');
INSERT INTO stated_allocation ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "client_key", "account_class", "location_key", "asset_key", "base_units", "as_of", "is_gas_float") VALUES (3, 3, '2026-03-02 12:01:00+00:00', 2, 4, 5, 'customer', 4, 3, '3000000000000000000', '2026-03-02 06:00:00+00:00', 'False');
INSERT INTO sweep_shard ("record_id", "journal_sequence", "sweep_key", "shard", "observation_count", "failed_count") VALUES (1, 5, 1, 0, 2, 1);
INSERT INTO sweep_shard ("record_id", "journal_sequence", "sweep_key", "shard", "observation_count", "failed_count") VALUES (2, 6, 1, 1, 1, 0);
INSERT INTO sweep_shard ("record_id", "journal_sequence", "sweep_key", "shard", "observation_count", "failed_count") VALUES (3, 10, 2, 0, 2, 1);
INSERT INTO sweep_shard ("record_id", "journal_sequence", "sweep_key", "shard", "observation_count", "failed_count") VALUES (4, 11, 2, 1, 1, 0);
INSERT INTO transfer_authorization ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "authorization_id", "chain_id", "wallet", "asset_id", "base_units_max", "destination", "fee_max", "valid_from", "valid_until", "purpose", "requested_by", "approved_by", "approved_at", "reference", "client_id") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 11, 'W-1', 'eip155:31337', '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'eip155:31337/erc20:0xcccccccccccccccccccccccccccccccccccccccc', '500', '0xffffffffffffffffffffffffffffffffffffffff', NULL, '2026-03-01 12:00:00+00:00', '2026-03-03 12:00:00+00:00', 'client_withdrawal', 'ops.maker', 'ops.checker', '2026-03-02 10:00:00+00:00', 'REF-1', 'C-1');
INSERT INTO wallet ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "chain_id", "address", "structure", "titling", "custodian", "mpc_vault", "key_scheme", "threshold", "share_count", "share_holders", "firm_alone_can_sign", "others_can_sign_without_firm", "opened_on", "closed_on", "gas_float_limit") VALUES (1, 2, '2026-03-02 12:00:00.000001+00:00', 1, 6, 'eip155:31337', '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'omnibus', 'for the benefit of clients', 'Example Custody', 'vault-1', 'mpc-cmp-ecdsa', 2, 3, '[["firm",1],["custodian",2]]', 'False', 'True', '2026-01-01', NULL, '100000000000000000');
INSERT INTO wallet ("record_id", "journal_sequence", "recorded_at", "file_key", "line", "chain_id", "address", "structure", "titling", "custodian", "mpc_vault", "key_scheme", "threshold", "share_count", "share_holders", "firm_alone_can_sign", "others_can_sign_without_firm", "opened_on", "closed_on", "gas_float_limit") VALUES (2, 2, '2026-03-02 12:00:00.000001+00:00', 1, 7, 'eip155:31337', '0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'omnibus', 'for the benefit of clients', 'Example Custody', 'vault-1', 'mpc-cmp-ecdsa', 2, 3, '[["firm",1],["custodian",2]]', 'False', 'True', '2026-01-01', NULL, '100000000000000000');
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (1, 8, '2026-03-02 12:10:00.000004+00:00', 1, 'opened', 'scheduler', 1, '-300', '-300 USDX at A', 10, '0x000000000000000000000000000000000000000000000000000000000000000a', '0x0000000000000000000000000000000000000000000000000000000000000009', '2026-03-02 11:02:00+00:00', '', 'False', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (2, 8, '2026-03-02 12:10:00.000004+00:00', 2, 'opened', 'scheduler', 1, NULL, 'None USDX at A', 10, '0x000000000000000000000000000000000000000000000000000000000000000a', '0x0000000000000000000000000000000000000000000000000000000000000009', '2026-03-02 11:02:00+00:00', '', 'False', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (3, 8, '2026-03-02 12:10:00.000004+00:00', 3, 'opened', 'scheduler', 1, '-300', '-300 USDX at A', 10, '0x000000000000000000000000000000000000000000000000000000000000000a', '0x0000000000000000000000000000000000000000000000000000000000000009', '2026-03-02 11:02:00+00:00', '', 'False', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (4, 13, '2026-03-02 12:30:00.000004+00:00', 4, 'opened', 'scheduler', 2, '-300', '-300 USDX at A', 20, '0x0000000000000000000000000000000000000000000000000000000000000014', '0x0000000000000000000000000000000000000000000000000000000000000013', '2026-03-02 11:04:00+00:00', '', 'False', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (5, 14, '2026-03-02 12:40:00+00:00', 1, 'proposed', 'ops.maker', NULL, NULL, 'a late entry', NULL, NULL, NULL, NULL, '', 'False', NULL, NULL, NULL, NULL, 'bb2c7670be4a4a6e0fd2b4a45c7121c175f151267e0bbd50a9ad49b34ed81b90', '26e8c7cbe39a0f194f42b061e66a34d2c4b4477abc7a51c8ff4892367040ea07', NULL);
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (6, 15, '2026-03-02 12:41:00+00:00', 1, 'approved', 'ops.checker', NULL, NULL, 'agreed', NULL, NULL, NULL, NULL, '', 'False', 5, 'ops.maker', NULL, NULL, 'bb2c7670be4a4a6e0fd2b4a45c7121c175f151267e0bbd50a9ad49b34ed81b90', 'c645843938aeed16bfa54d0055a95abb5882ea135605cd15cb80db9567047ce8', NULL);
INSERT INTO case_event ("record_id", "journal_sequence", "recorded_at", "case_key", "act", "actor", "sweep_key", "base_units", "text", "height", "block_hash", "parent_hash", "block_time", "tx_id", "provisional", "proposal_key", "maker", "maker_person", "person_id", "facts_digest", "seen_digest", "detail") VALUES (7, 16, '2026-03-02 12:42:00+00:00', 2, 'proposed', 'ops.maker', NULL, NULL, 'looked at', NULL, NULL, NULL, NULL, '', 'False', NULL, NULL, NULL, NULL, '882f20c14b910a33908edd8b99498a4242dc8dce7078cfda6f7a1d0a2a5be57f', '0339ca717b92116e3c99570a54f50ee48ae1e0c1ddd6526e4b2ab0df60c415d6', NULL);
INSERT INTO statement_check ("record_id", "journal_sequence", "reconciliation_key", "base_units", "as_of", "stated_by", "statement_id", "status", "reason") VALUES (1, 8, 2, '1500', '2026-03-02 06:00:00+00:00', 'Example Custody', 'ST-1', 'diverged', '');
INSERT INTO statement_check ("record_id", "journal_sequence", "reconciliation_key", "base_units", "as_of", "stated_by", "statement_id", "status", "reason") VALUES (2, 13, 5, '1500', '2026-03-02 06:00:00+00:00', 'Example Custody', 'ST-1', 'diverged', '');
INSERT INTO transfer ("record_id", "journal_sequence", "covered_key", "tx_id", "log_index", "kind", "asset_key", "sender", "receiver", "base_units") VALUES (1, 7, 3, '0x0000000000000000000000000000000000000000000000000000000000000007', 0, 'token', 1, '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0xffffffffffffffffffffffffffffffffffffffff', '300');
INSERT INTO transfer ("record_id", "journal_sequence", "covered_key", "tx_id", "log_index", "kind", "asset_key", "sender", "receiver", "base_units") VALUES (2, 7, 3, '0x0000000000000000000000000000000000000000000000000000000000000008', 1, 'token', 1, '0xffffffffffffffffffffffffffffffffffffffff', '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '5');
INSERT INTO transfer ("record_id", "journal_sequence", "covered_key", "tx_id", "log_index", "kind", "asset_key", "sender", "receiver", "base_units") VALUES (3, 12, 13, '0x0000000000000000000000000000000000000000000000000000000000000007', 0, 'token', 1, '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0xffffffffffffffffffffffffffffffffffffffff', '300');
INSERT INTO transfer ("record_id", "journal_sequence", "covered_key", "tx_id", "log_index", "kind", "asset_key", "sender", "receiver", "base_units") VALUES (4, 12, 13, '0x0000000000000000000000000000000000000000000000000000000000000008', 1, 'token', 1, '0xffffffffffffffffffffffffffffffffffffffff', '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '5');
INSERT INTO case_cover ("record_id", "journal_sequence", "event_key", "location_key", "asset_key") VALUES (1, 8, 1, 1, 2);
INSERT INTO sweep_end ("record_id", "journal_sequence", "recorded_at", "sweep_key", "abandoned", "expected", "matched", "diverged", "unverified", "transfers_scanned", "transfers_outgoing", "transfers_not_matched", "transfers_change", "first_height", "last_height", "judged_covered_key", "judged_run_key", "judged_transfer_key") VALUES (1, 8, '2026-03-02 12:10:00.000004+00:00', 1, '', 3, 1, 1, 1, 1, 1, 1, 0, 8, 10, 3, NULL, 2);
INSERT INTO sweep_end ("record_id", "journal_sequence", "recorded_at", "sweep_key", "abandoned", "expected", "matched", "diverged", "unverified", "transfers_scanned", "transfers_outgoing", "transfers_not_matched", "transfers_change", "first_height", "last_height", "judged_covered_key", "judged_run_key", "judged_transfer_key") VALUES (2, 13, '2026-03-02 12:30:00.000004+00:00', 2, '', 3, 1, 1, 1, 1, 1, 1, 0, 11, 20, 13, NULL, 4);
INSERT INTO transfer_match ("record_id", "journal_sequence", "transfer_key", "sweep_key", "outcome", "authorization_id", "commingling", "for_review", "reason") VALUES (1, 8, 1, 1, 'fee_over_limit', 'W-1', 'False', 'False', 'the fee is above the limit');
INSERT INTO transfer_match ("record_id", "journal_sequence", "transfer_key", "sweep_key", "outcome", "authorization_id", "commingling", "for_review", "reason") VALUES (2, 13, 3, 2, 'fee_over_limit', 'W-1', 'False', 'False', 'the fee is above the limit');
INSERT INTO approval_use ("record_id", "journal_sequence", "match_key", "authorization_id", "base_units") VALUES (1, 8, 1, 'W-1', '299');
INSERT INTO approval_use ("record_id", "journal_sequence", "match_key", "authorization_id", "base_units") VALUES (2, 8, 1, 'W-2', '1');
INSERT INTO approval_use ("record_id", "journal_sequence", "match_key", "authorization_id", "base_units") VALUES (3, 13, 2, 'W-1', '299');
INSERT INTO approval_use ("record_id", "journal_sequence", "match_key", "authorization_id", "base_units") VALUES (4, 13, 2, 'W-2', '1');
