CREATE TABLE public.catalog_catalog (
    id bigint NOT NULL,
    name text NOT NULL,
    version text,
    description text,
    catalog_type text,
    status text NOT NULL,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.catalog_catalog_category (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    category_id text,
    name text,
    version text,
    more text
);

CREATE TABLE public.catalog_catalog_party (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.catalog_category (
    id bigint NOT NULL,
    name text NOT NULL,
    version text,
    description text,
    status text NOT NULL,
    is_root boolean,
    parent_id text,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.catalog_category_child (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    category_id text,
    name text,
    version text,
    more text
);

CREATE TABLE public.catalog_category_offering (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    offering_id text,
    name text,
    more text
);

CREATE TABLE public.catalog_offering (
    id bigint NOT NULL,
    name text NOT NULL,
    version text,
    description text,
    status text NOT NULL,
    status_reason text,
    is_bundle boolean,
    is_sellable boolean,
    specification_id text,
    specification_name text,
    specification_version text,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.catalog_offering_bundle (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    offering_id text,
    name text,
    status text,
    at_least bigint,
    at_most bigint,
    at_first bigint,
    more text
);

CREATE TABLE public.catalog_offering_category (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    category_id text,
    name text,
    version text,
    more text
);

CREATE TABLE public.catalog_offering_channel (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    channel_id text,
    name text,
    more text
);

CREATE TABLE public.catalog_offering_place (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    place_id text,
    name text,
    more text
);

CREATE TABLE public.catalog_offering_price (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    price_id text,
    name text,
    more text
);

CREATE TABLE public.catalog_offering_relationship (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    offering_id text,
    relationship_type text,
    name text,
    more text
);

CREATE TABLE public.catalog_offering_segment (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    segment_id text,
    name text,
    more text
);

CREATE TABLE public.catalog_offering_term (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    description text,
    duration bigint,
    units text,
    more text
);

CREATE TABLE public.catalog_price (
    id bigint NOT NULL,
    name text NOT NULL,
    version text,
    description text,
    status text NOT NULL,
    price_type text,
    is_bundle boolean,
    amount_minor bigint,
    currency text,
    percentage double precision,
    period_type text,
    period_length bigint,
    unit_amount double precision,
    unit_name text,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.catalog_price_bundle (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    price_id text,
    name text,
    more text
);

CREATE TABLE public.catalog_price_relationship (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    price_id text,
    relationship_type text,
    name text,
    more text
);

CREATE TABLE public.catalog_price_tax (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    category text,
    rate double precision,
    amount_minor bigint,
    currency text,
    more text
);

CREATE TABLE public.catalog_promotion (
    id bigint NOT NULL,
    name text NOT NULL,
    description text,
    promotion_type text,
    status text,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.catalog_promotion_action (
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    action_id text,
    action_type text,
    action_value text,
    entity_id text
);

CREATE TABLE public.catalog_promotion_pattern (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    pattern_id text,
    name text,
    description text,
    priority bigint,
    logic text,
    more text
);

CREATE TABLE public.catalog_specification (
    id bigint NOT NULL,
    name text NOT NULL,
    version text,
    description text,
    brand text,
    product_number text,
    status text NOT NULL,
    is_bundle boolean,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.catalog_specification_bundle (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    specification_id text,
    name text,
    status text,
    more text
);

CREATE TABLE public.catalog_specification_characteristic (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    characteristic_id text,
    name text,
    description text,
    value_type text,
    configurable boolean,
    is_unique boolean,
    min_cardinality bigint,
    max_cardinality bigint,
    regex text,
    more text
);

CREATE TABLE public.catalog_specification_party (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.catalog_specification_relationship (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    specification_id text,
    relationship_type text,
    name text,
    more text
);

CREATE TABLE public.catalog_specification_value (
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    value text,
    value_type text,
    is_default boolean,
    unit text,
    value_from bigint,
    value_to bigint
);

CREATE TABLE public.channels_delivery (
    customer_id bigint NOT NULL,
    message_id bigint NOT NULL,
    place bigint NOT NULL,
    channel text NOT NULL,
    purpose text NOT NULL,
    summary text NOT NULL,
    state text NOT NULL,
    rank bigint NOT NULL,
    due_at bigint NOT NULL,
    tries bigint NOT NULL,
    tries_max bigint NOT NULL,
    lease_until bigint NOT NULL,
    taken_by text,
    happened_at bigint NOT NULL,
    reason text
);

CREATE TABLE public.channels_message (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    message_type text,
    subject text,
    content text,
    description text,
    priority text,
    log_flag boolean,
    try_times bigint,
    scheduled_at bigint,
    sent_at bigint,
    completed_at bigint,
    state text NOT NULL,
    state_reason text,
    created_at bigint NOT NULL,
    sender_id text,
    sender_name text,
    sender_email text,
    sender_phone text,
    sender_party text
);

CREATE TABLE public.channels_message_attachment (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    attachment_id text,
    name text,
    description text,
    attachment_type text,
    mime_type text,
    url text,
    content text
);

CREATE TABLE public.channels_message_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    characteristic_id text,
    name text,
    value_type text,
    value text
);

CREATE TABLE public.channels_message_receiver (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    receiver_id text,
    name text,
    phone text,
    email text,
    app_user text,
    ip text,
    party_id text,
    party_role text,
    party_name text,
    party_type text
);

CREATE TABLE public.customers_account (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    name text,
    status text NOT NULL,
    parent_number text,
    bill_day integer,
    payment_method text,
    opened_on text,
    closed_on text,
    source text NOT NULL,
    account_type text,
    description text,
    payment_status text,
    modified_at bigint,
    credit_limit bigint,
    credit_currency text,
    payment_method_id text,
    financial_id text,
    financial_name text,
    cycle_id text,
    cycle_name text,
    format_id text,
    format_name text,
    edition bigint
);

CREATE TABLE public.customers_account_contact (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    contact_type text,
    contact_name text,
    party_role_type text,
    valid_from bigint,
    valid_to bigint,
    more text
);

CREATE TABLE public.customers_account_contact_medium (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    medium_type text,
    preferred boolean,
    phone text,
    email text,
    fax text,
    social_id text,
    street1 text,
    street2 text,
    city text,
    region text,
    post_code text,
    country text
);

CREATE TABLE public.customers_account_media (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    media_id text,
    name text
);

CREATE TABLE public.customers_account_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.customers_account_plan (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    plan_type text,
    status text,
    frequency text,
    payments bigint,
    priority bigint,
    amount bigint,
    currency text,
    method_id text,
    valid_from bigint,
    valid_to bigint,
    more text
);

CREATE TABLE public.customers_account_relation (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    relation text,
    account_id text,
    account_name text,
    valid_from bigint,
    valid_to bigint,
    more text
);

CREATE TABLE public.customers_account_role (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    holder_id bigint NOT NULL,
    account_id bigint NOT NULL,
    role text NOT NULL,
    valid_from text,
    valid_to text
);

CREATE TABLE public.customers_account_tax (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    jurisdiction text,
    certificate text,
    reason text,
    valid_from bigint,
    valid_to bigint,
    more text
);

CREATE TABLE public.customers_addon (
    customer_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    code text NOT NULL,
    monthly_charge bigint
);

CREATE TABLE public.customers_address (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    lines text,
    city text,
    region text,
    postcode text,
    country text,
    latitude double precision,
    longitude double precision
);

CREATE TABLE public.customers_attribute (
    id bigint NOT NULL,
    key text NOT NULL,
    title_en text NOT NULL,
    title_zh text NOT NULL,
    kind text NOT NULL,
    codes text NOT NULL,
    mask text NOT NULL,
    labelled boolean NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL
);

CREATE TABLE public.customers_attribute_value (
    customer_id bigint NOT NULL,
    attribute_id bigint NOT NULL,
    text_value text,
    int_value bigint,
    double_value double precision
);

CREATE TABLE public.customers_bill_cycle (
    id bigint NOT NULL,
    name text NOT NULL,
    description text,
    billing_period text,
    frequency text,
    billing_shift bigint,
    charge_offset bigint,
    credit_offset bigint,
    mailing_offset bigint,
    due_offset bigint,
    valid_from bigint,
    valid_to bigint
);

CREATE TABLE public.customers_bill_format (
    id bigint NOT NULL,
    name text NOT NULL,
    description text
);

CREATE TABLE public.customers_bill_media (
    id bigint NOT NULL,
    name text NOT NULL,
    description text
);

CREATE TABLE public.customers_change (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    changed_at bigint NOT NULL,
    actor text NOT NULL,
    cause text NOT NULL,
    from_status text,
    to_status text,
    fields text NOT NULL
);

CREATE TABLE public.customers_charge (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    period text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    issued_on text NOT NULL,
    due_on text,
    paid_on text,
    number text,
    account_number text,
    bill_number text,
    method text,
    settled bigint,
    settled_on text,
    overdue_on text
);

CREATE TABLE public.customers_contact_medium (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    folded text NOT NULL,
    preferred boolean NOT NULL
);

CREATE TABLE public.customers_correction (
    customer_id bigint NOT NULL,
    field text NOT NULL,
    told bigint NOT NULL,
    stands bigint NOT NULL
);

CREATE TABLE public.customers_customer (
    id bigint NOT NULL,
    reference text,
    status text NOT NULL,
    status_reason text,
    segment text,
    region text,
    city text,
    since text,
    payment_method text,
    paperless boolean,
    total_charges bigint,
    currency text NOT NULL,
    has_left boolean,
    source text NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    edition bigint DEFAULT 1 NOT NULL
);

CREATE TABLE public.customers_customer_link (
    from_id bigint NOT NULL,
    to_id bigint NOT NULL,
    valid boolean NOT NULL,
    evidence text NOT NULL,
    linked_at bigint NOT NULL
);

CREATE TABLE public.customers_financial_account (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    account_type text,
    description text,
    state text NOT NULL,
    modified_at bigint NOT NULL,
    credit_limit bigint,
    credit_currency text
);

CREATE TABLE public.customers_financial_balance (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    balance_type text,
    amount bigint,
    currency text,
    valid_from bigint,
    valid_to bigint,
    more text
);

CREATE TABLE public.customers_identifier (
    kind text NOT NULL,
    value text NOT NULL,
    customer_id bigint NOT NULL
);

CREATE TABLE public.customers_identity_document (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    number text NOT NULL
);

CREATE TABLE public.customers_kept_decision (
    one_source text NOT NULL,
    one_number text NOT NULL,
    other_source text NOT NULL,
    other_number text NOT NULL,
    state text NOT NULL,
    decided_by text NOT NULL,
    decided_at bigint NOT NULL,
    reason text NOT NULL
);

CREATE TABLE public.customers_listing (
    customer_id bigint NOT NULL,
    sort_name text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    segment text NOT NULL,
    tier text NOT NULL,
    region text NOT NULL,
    city text NOT NULL,
    service text NOT NULL,
    plan text NOT NULL,
    contract_term integer NOT NULL,
    since text NOT NULL,
    monthly_charge bigint NOT NULL,
    currency text NOT NULL,
    risk double precision NOT NULL,
    band text NOT NULL,
    value_score bigint NOT NULL,
    leave_reason text NOT NULL,
    left_on text NOT NULL,
    latitude double precision,
    longitude double precision,
    risk_scored_at bigint DEFAULT 0 NOT NULL,
    behind boolean DEFAULT false NOT NULL
);

CREATE TABLE public.customers_lone_party (
    id bigint NOT NULL,
    folded_name text NOT NULL,
    region text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.customers_match_key (
    key bigint NOT NULL,
    customer_id bigint NOT NULL
);

CREATE TABLE public.customers_match_model (
    id bigint NOT NULL,
    made_at bigint NOT NULL,
    made_by text NOT NULL,
    customers bigint NOT NULL,
    pairs bigint NOT NULL,
    model text NOT NULL,
    trial text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.customers_match_pair (
    left_id bigint NOT NULL,
    right_id bigint NOT NULL,
    state text NOT NULL,
    bits double precision NOT NULL,
    evidence text NOT NULL,
    model_id bigint,
    made_at bigint NOT NULL,
    decided_by text NOT NULL,
    decided_at bigint NOT NULL,
    reason text NOT NULL
);

CREATE TABLE public.customers_match_record (
    customer_id bigint NOT NULL,
    record text NOT NULL,
    form integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.customers_match_setting (
    id bigint NOT NULL,
    kept boolean NOT NULL,
    filled_at bigint,
    model_id bigint,
    survivorship text NOT NULL,
    customers bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.customers_outcome (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    left_on text,
    reason_code text,
    reason_text text,
    competitor text,
    recorded_on text NOT NULL
);

CREATE TABLE public.customers_party (
    id bigint NOT NULL,
    kind text NOT NULL,
    display_name text NOT NULL,
    folded_name text NOT NULL,
    family_name text,
    given_name text,
    gender text,
    birth_date text,
    senior boolean,
    language text,
    industry text,
    size_tier text
);

CREATE TABLE public.customers_party_role (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    status_reason text,
    valid_from bigint,
    valid_to bigint
);

CREATE TABLE public.customers_party_role_account (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    account_id text,
    name text,
    more text
);

CREATE TABLE public.customers_party_role_agreement (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    agreement_id text,
    name text,
    more text
);

CREATE TABLE public.customers_party_role_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value text,
    value_type text,
    more text
);

CREATE TABLE public.customers_party_role_credit (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    profiled_at bigint,
    rating bigint,
    score bigint,
    valid_from bigint,
    valid_to bigint,
    more text
);

CREATE TABLE public.customers_party_role_medium (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    medium_type text,
    preferred boolean,
    phone text,
    email text,
    fax text,
    social_id text,
    street1 text,
    street2 text,
    city text,
    region text,
    post_code text,
    country text,
    more text
);

CREATE TABLE public.customers_party_role_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.customers_party_role_payment (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    method_id text,
    name text,
    more text
);

CREATE TABLE public.customers_record_key (
    kind text NOT NULL,
    source text NOT NULL,
    value text NOT NULL,
    customer_id bigint NOT NULL,
    record_id bigint NOT NULL
);

CREATE TABLE public.customers_relation (
    customer_id bigint NOT NULL,
    other_id bigint NOT NULL,
    role text NOT NULL,
    valid_from text,
    valid_to text
);

CREATE TABLE public.customers_saved_view (
    id bigint NOT NULL,
    name text NOT NULL,
    owner_id bigint NOT NULL,
    shared boolean NOT NULL,
    filter text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE public.customers_search (
    kind integer NOT NULL,
    token text NOT NULL,
    customer_id bigint NOT NULL
);

CREATE TABLE public.customers_search_number (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    number text NOT NULL,
    tokens text NOT NULL
);

CREATE TABLE public.customers_search_state (
    id bigint NOT NULL,
    step integer NOT NULL,
    seen_to bigint NOT NULL,
    since bigint NOT NULL
);

CREATE TABLE public.customers_search_text (
    customer_id bigint NOT NULL,
    tokens text NOT NULL
);

CREATE TABLE public.customers_search_word (
    variant bigint NOT NULL,
    word text NOT NULL
);

CREATE TABLE public.customers_subscription (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    service text NOT NULL,
    technology text,
    plan text,
    msisdn text,
    contract_term integer,
    contract_end text,
    started_on text,
    ended_on text,
    status text NOT NULL,
    monthly_charge bigint,
    currency text NOT NULL,
    iccid text,
    imsi text,
    imei text,
    device text,
    sim_kind text
);

CREATE TABLE public.customers_subscription_history (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    changed_on text NOT NULL,
    from_status text NOT NULL,
    to_status text NOT NULL,
    reason text
);

CREATE TABLE public.customers_subscription_locator (
    id bigint NOT NULL,
    customer_id bigint NOT NULL
);

CREATE TABLE public.customers_usage_month (
    customer_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    month text NOT NULL,
    voice_min integer NOT NULL,
    sms integer NOT NULL,
    data_mb bigint NOT NULL,
    roaming_mb bigint NOT NULL,
    calls integer NOT NULL,
    dropped_calls integer NOT NULL,
    speed_mbps double precision
)
PARTITION BY RANGE (month);

CREATE TABLE public.customers_usage_month_default (
    customer_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    month text NOT NULL,
    voice_min integer NOT NULL,
    sms integer NOT NULL,
    data_mb bigint NOT NULL,
    roaming_mb bigint NOT NULL,
    calls integer NOT NULL,
    dropped_calls integer NOT NULL,
    speed_mbps double precision
);

CREATE TABLE public.customers_value_policy (
    id bigint NOT NULL,
    vip_from bigint NOT NULL,
    high_from bigint NOT NULL,
    customers bigint NOT NULL,
    computed_at bigint NOT NULL,
    requested_at bigint
);

CREATE TABLE public.identity_bootstrap (
    token_hash text NOT NULL,
    kind text NOT NULL,
    role text,
    user_id bigint,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint
);

CREATE TABLE public.identity_client (
    id bigint NOT NULL,
    name text NOT NULL,
    folded_name text NOT NULL,
    secret_hash text NOT NULL,
    secret_made_at bigint NOT NULL,
    old_secret_hash text,
    old_secret_until bigint,
    tokens_from bigint NOT NULL,
    scopes text NOT NULL,
    addresses text NOT NULL,
    requests_per_second integer NOT NULL,
    scope text NOT NULL,
    expires_at bigint NOT NULL,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint,
    revoked_at bigint
);

CREATE TABLE public.identity_known_address (
    user_id bigint NOT NULL,
    address text NOT NULL,
    last_login_at bigint NOT NULL
);

CREATE TABLE public.identity_session (
    token_hash text NOT NULL,
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    address text NOT NULL,
    agent text NOT NULL
);

CREATE TABLE public.identity_signing_key (
    id bigint NOT NULL,
    kid text NOT NULL,
    created_at bigint NOT NULL,
    good_until bigint
);

CREATE TABLE public.identity_throttle (
    key text NOT NULL,
    failures integer NOT NULL,
    next_allowed_at bigint NOT NULL,
    failed_at bigint NOT NULL
);

CREATE TABLE public.identity_token (
    token_hash text NOT NULL,
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    name text NOT NULL,
    beginning text NOT NULL,
    scopes text NOT NULL,
    addresses text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    last_used_at bigint,
    revoked_at bigint
);

CREATE TABLE public.identity_user (
    id bigint NOT NULL,
    name text NOT NULL,
    folded_name text NOT NULL,
    display_name text NOT NULL,
    password_hash text,
    password_changed_at bigint,
    status text NOT NULL,
    language text,
    theme text,
    shortcuts boolean NOT NULL,
    scope text NOT NULL,
    last_login_at bigint,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL
);

CREATE TABLE public.identity_user_name (
    folded_name text NOT NULL,
    user_id bigint NOT NULL
);

CREATE TABLE public.identity_user_role (
    user_id bigint NOT NULL,
    role text NOT NULL,
    given_by bigint,
    given_at bigint NOT NULL
);

CREATE TABLE public.ingest_file (
    id bigint NOT NULL,
    blob_id text NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL,
    digest text NOT NULL,
    inspection text NOT NULL,
    created_at bigint NOT NULL,
    created_by bigint,
    created_by_name text NOT NULL
);

CREATE TABLE public.ingest_finding (
    run_id bigint NOT NULL,
    phase integer NOT NULL,
    rule text NOT NULL,
    field text NOT NULL,
    checked bigint NOT NULL,
    failed bigint NOT NULL,
    fixed bigint NOT NULL
);

CREATE TABLE public.ingest_forecast (
    run_id bigint NOT NULL,
    job_id bigint NOT NULL,
    chunk bigint NOT NULL,
    asked_at bigint NOT NULL,
    counted_at bigint,
    result text
);

CREATE TABLE public.ingest_intake (
    source text NOT NULL,
    entity text NOT NULL,
    enabled boolean NOT NULL,
    settle_seconds integer NOT NULL,
    url text,
    every_minutes integer NOT NULL,
    next_pull_at bigint,
    etag text,
    modified text,
    pulled_at bigint,
    looked_at bigint,
    message_en text NOT NULL,
    message_zh text NOT NULL,
    pull_en text NOT NULL,
    pull_zh text NOT NULL,
    actor text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by_name text NOT NULL,
    secret text
);

CREATE TABLE public.ingest_intake_file (
    id bigint NOT NULL,
    source text NOT NULL,
    name text NOT NULL,
    origin text NOT NULL,
    state text NOT NULL,
    size bigint NOT NULL,
    digest text NOT NULL,
    run_id bigint,
    message_en text NOT NULL,
    message_zh text NOT NULL,
    taken_at bigint NOT NULL,
    finished_at bigint
);

CREATE TABLE public.ingest_journal (
    run_id bigint NOT NULL,
    chunk bigint NOT NULL,
    entries text NOT NULL
);

CREATE TABLE public.ingest_lineage (
    customer_id bigint NOT NULL,
    run_id bigint NOT NULL,
    record bigint NOT NULL,
    line bigint NOT NULL,
    chunk bigint NOT NULL,
    is_new boolean NOT NULL,
    columns text NOT NULL,
    fixes text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.ingest_mapping (
    entity text NOT NULL,
    signature text NOT NULL,
    name text NOT NULL,
    mapping text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by_name text NOT NULL
);

CREATE TABLE public.ingest_quality (
    source text NOT NULL,
    entity text NOT NULL,
    day text NOT NULL,
    rule text NOT NULL,
    field text NOT NULL,
    dimension text NOT NULL,
    checked bigint NOT NULL,
    failed bigint NOT NULL,
    fixed bigint NOT NULL
);

CREATE TABLE public.ingest_quarantine (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    record bigint NOT NULL,
    line bigint NOT NULL,
    entity text NOT NULL,
    source text NOT NULL,
    rule text NOT NULL,
    field text NOT NULL,
    findings text NOT NULL,
    cells text NOT NULL,
    repaired text,
    match_key text NOT NULL,
    key_hash bigint,
    state text NOT NULL,
    revision bigint NOT NULL,
    replay_run_id bigint,
    replay_record bigint,
    created_at bigint NOT NULL,
    decided_at bigint,
    decided_by_name text NOT NULL,
    reason text NOT NULL,
    repaired_columns text
);

CREATE TABLE public.ingest_record_lineage (
    customer_id bigint NOT NULL,
    record_id bigint NOT NULL,
    run_id bigint NOT NULL,
    record bigint NOT NULL,
    line bigint NOT NULL,
    is_new boolean NOT NULL,
    columns text NOT NULL,
    fixes text NOT NULL,
    at bigint NOT NULL,
    chunk bigint
);

CREATE TABLE public.ingest_reject (
    run_id bigint NOT NULL,
    phase integer NOT NULL,
    record bigint NOT NULL,
    line bigint NOT NULL,
    column_index integer NOT NULL,
    code text NOT NULL,
    words_en text NOT NULL,
    words_zh text NOT NULL
);

CREATE TABLE public.ingest_revert_issue (
    run_id bigint NOT NULL,
    chunk bigint NOT NULL,
    number integer NOT NULL,
    customer_id bigint NOT NULL,
    field text NOT NULL,
    reason_en text NOT NULL,
    reason_zh text NOT NULL
);

CREATE TABLE public.ingest_rule (
    key text NOT NULL,
    name_en text NOT NULL,
    name_zh text NOT NULL,
    source text NOT NULL,
    entity text NOT NULL,
    fields text NOT NULL,
    kind text NOT NULL,
    dimension text NOT NULL,
    severity text NOT NULL,
    parameters text NOT NULL,
    is_on boolean NOT NULL,
    revision bigint NOT NULL,
    updated_at bigint NOT NULL,
    updated_by_name text NOT NULL
);

CREATE TABLE public.ingest_run (
    id bigint NOT NULL,
    file_id bigint NOT NULL,
    entity text NOT NULL,
    mapping text NOT NULL,
    state text NOT NULL,
    worker text NOT NULL,
    touched_at bigint NOT NULL,
    job_id bigint,
    actor text NOT NULL,
    plan text,
    plan_reject_blob_id text,
    reject_blob_id text,
    chunk bigint NOT NULL,
    checkpoint text,
    revert_chunk bigint,
    rows_read bigint NOT NULL,
    created_count bigint NOT NULL,
    updated_count bigint NOT NULL,
    unchanged_count bigint NOT NULL,
    rejected_count bigint NOT NULL,
    revert_issue_count bigint NOT NULL,
    message_en text NOT NULL,
    message_zh text NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    reverted_at bigint,
    created_by bigint,
    created_by_name text NOT NULL,
    purged_at bigint,
    linked_count bigint DEFAULT 0 NOT NULL,
    review_count bigint DEFAULT 0 NOT NULL,
    quarantined_count bigint DEFAULT 0 NOT NULL,
    skipped_count bigint DEFAULT 0 NOT NULL,
    is_replay boolean DEFAULT false NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    mapping_version bigint,
    undone_links bigint DEFAULT 0 NOT NULL,
    undone_decisions bigint DEFAULT 0 NOT NULL,
    undone_waiting bigint DEFAULT 0 NOT NULL,
    matched_chunk bigint DEFAULT 0 NOT NULL,
    corrected_count bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.ingest_source (
    id bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    entity text NOT NULL,
    owner text NOT NULL,
    encoding text NOT NULL,
    delimiter text NOT NULL,
    sheet text NOT NULL,
    fields text NOT NULL,
    fresh_hours bigint,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    updated_by_name text NOT NULL
);

CREATE TABLE public.ingest_source_mapping (
    source text NOT NULL,
    entity text NOT NULL,
    version bigint NOT NULL,
    mapping text NOT NULL,
    made_at bigint NOT NULL,
    made_by_name text NOT NULL
);

CREATE TABLE public.insights_churn_score (
    customer_id bigint NOT NULL,
    model_id bigint NOT NULL,
    probability double precision NOT NULL,
    band text NOT NULL,
    margin double precision NOT NULL,
    scored_at bigint NOT NULL,
    reasons text NOT NULL,
    region text NOT NULL,
    monthly_value bigint NOT NULL,
    currency text NOT NULL,
    priority bigint NOT NULL,
    listed boolean NOT NULL,
    previous_band text
);

CREATE TABLE public.insights_contact_plan (
    customer_id bigint NOT NULL,
    week text NOT NULL,
    state text NOT NULL,
    outcome text,
    note text,
    actor_id bigint,
    actor_name text NOT NULL,
    changed_at bigint NOT NULL
);

CREATE TABLE public.insights_model (
    id bigint NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    job_id bigint,
    trained_at bigint NOT NULL,
    trained_by text NOT NULL,
    customers bigint NOT NULL,
    labelled bigint NOT NULL,
    leavers bigint NOT NULL,
    features integer NOT NULL,
    folds integer NOT NULL,
    auc double precision NOT NULL,
    logloss double precision NOT NULL,
    brier double precision NOT NULL,
    ece double precision NOT NULL,
    lift_at_10 double precision NOT NULL,
    seed bigint NOT NULL,
    card text,
    titles text,
    blob_id text,
    failure_en text,
    failure_zh text
);

CREATE TABLE public.insights_recommendation (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text,
    description text,
    recommendation_type text,
    instant boolean,
    state text NOT NULL,
    state_reason text,
    valid_from bigint NOT NULL,
    valid_until bigint NOT NULL,
    party_id text,
    party_role text,
    party_name text,
    party_type text,
    model_id bigint,
    probability double precision,
    currency text
);

CREATE TABLE public.insights_recommendation_item (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    column_name text NOT NULL,
    value text NOT NULL,
    probability double precision NOT NULL
);

CREATE TABLE public.insights_risk_summary (
    scored_on text NOT NULL,
    region text NOT NULL,
    band text NOT NULL,
    customers bigint NOT NULL,
    monthly_value bigint NOT NULL,
    expected_loss bigint NOT NULL
);

CREATE TABLE public.insights_score_history (
    customer_id bigint NOT NULL,
    scored_on text NOT NULL,
    model_id bigint NOT NULL,
    probability double precision NOT NULL,
    band text NOT NULL
)
PARTITION BY RANGE (scored_on);

CREATE TABLE public.insights_score_history_default (
    customer_id bigint NOT NULL,
    scored_on text NOT NULL,
    model_id bigint NOT NULL,
    probability double precision NOT NULL,
    band text NOT NULL
);

CREATE TABLE public.insights_scoring_run (
    id bigint NOT NULL,
    job_id bigint,
    model_id bigint NOT NULL,
    state text NOT NULL,
    started_at bigint NOT NULL,
    finished_at bigint,
    after_id bigint NOT NULL,
    scored bigint NOT NULL,
    skipped bigint NOT NULL,
    histogram text,
    drift double precision
);

CREATE TABLE public.orders_agreement (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    description text,
    agreement_type text NOT NULL,
    status text,
    version text,
    document_number bigint,
    begins_at bigint,
    period_from bigint,
    period_to bigint,
    completed_from bigint,
    completed_to bigint,
    intent text,
    specification_id text,
    specification_name text
);

CREATE TABLE public.orders_agreement_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value text,
    value_type text,
    more text
);

CREATE TABLE public.orders_agreement_item (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    more text
);

CREATE TABLE public.orders_agreement_offering (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    offering_id text,
    name text
);

CREATE TABLE public.orders_agreement_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.orders_agreement_product (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    product_id text,
    name text
);

CREATE TABLE public.orders_agreement_spec (
    id bigint NOT NULL,
    name text NOT NULL,
    description text,
    version text,
    status text,
    is_bundle boolean,
    category_id text,
    category_name text,
    valid_from bigint,
    valid_to bigint,
    updated_at bigint NOT NULL
);

CREATE TABLE public.orders_agreement_spec_attachment (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    url text,
    mime_type text,
    more text
);

CREATE TABLE public.orders_agreement_spec_characteristic (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value_type text,
    more text
);

CREATE TABLE public.orders_agreement_term (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    term_id text,
    description text
);

CREATE TABLE public.orders_cancellation (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    order_id text NOT NULL,
    state text NOT NULL,
    reason text,
    requested_at bigint,
    effective_at bigint,
    created_at bigint NOT NULL
);

CREATE TABLE public.orders_item (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    item_id text,
    action text,
    state text,
    quantity bigint,
    product_id text,
    product_name text,
    offering_id text,
    offering_name text,
    more text
);

CREATE TABLE public.orders_item_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value text,
    value_type text
);

CREATE TABLE public.orders_order (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    external_id text,
    category text,
    description text,
    priority text,
    state text NOT NULL,
    ordered_at bigint NOT NULL,
    requested_start bigint,
    requested_at bigint,
    expected_at bigint,
    completed_at bigint,
    cancelled_at bigint,
    cancellation_reason text,
    notification_contact text,
    billing_account_id text,
    billing_account_name text
);

CREATE TABLE public.orders_order_channel (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    channel_id text,
    name text,
    role text,
    more text
);

CREATE TABLE public.orders_order_note (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    note_id text,
    author text,
    written_at bigint,
    text text
);

CREATE TABLE public.orders_order_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.orders_order_quote (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    quote_id text,
    name text,
    more text
);

CREATE TABLE public.orders_product (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text,
    description text,
    status text NOT NULL,
    is_bundle boolean,
    is_visible boolean,
    serial_number text,
    ordered_at bigint,
    started_at bigint,
    terminated_at bigint,
    offering_id text,
    offering_name text,
    specification_id text,
    specification_name text,
    billing_account_id text,
    billing_account_name text
);

CREATE TABLE public.orders_product_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value text,
    value_type text,
    more text
);

CREATE TABLE public.orders_product_origin (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    order_id text,
    item_id text,
    action text,
    role text,
    more text
);

CREATE TABLE public.orders_product_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.orders_product_price (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    price_type text,
    period text,
    amount_minor bigint,
    currency text,
    price_id text,
    more text
);

CREATE TABLE public.orders_product_relation (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    relationship_type text,
    product_id text,
    more text
);

CREATE TABLE public.orders_product_resource (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    resource_id text,
    name text,
    value text,
    more text
);

CREATE TABLE public.orders_product_service (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    service_id text,
    name text,
    more text
);

CREATE TABLE public.orders_quote (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    external_id text,
    category text,
    description text,
    version text,
    state text NOT NULL,
    quoted_at bigint NOT NULL,
    requested_at bigint,
    expected_at bigint,
    effective_at bigint,
    fulfil_at bigint,
    instant boolean,
    valid_from bigint,
    valid_to bigint
);

CREATE TABLE public.orders_quote_approval (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    state text,
    approved_at bigint,
    more text
);

CREATE TABLE public.orders_quote_item (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    item_id text,
    action text,
    state text,
    quantity bigint,
    product_id text,
    offering_id text,
    offering_name text,
    more text
);

CREATE TABLE public.orders_quote_item_price (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    price_type text,
    period text,
    amount_minor bigint,
    currency text
);

CREATE TABLE public.orders_quote_note (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    note_id text,
    author text,
    written_at bigint,
    text text
);

CREATE TABLE public.orders_quote_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.orders_quote_total (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    price_type text,
    period text,
    amount_minor bigint,
    currency text
);

CREATE TABLE public.platform_audit_event (
    id bigint NOT NULL,
    at bigint NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    roles text NOT NULL,
    action text NOT NULL,
    purpose text NOT NULL,
    address text NOT NULL,
    request_id text NOT NULL,
    unmasked text NOT NULL,
    facts text NOT NULL,
    refused boolean NOT NULL
)
PARTITION BY RANGE (id);

CREATE TABLE public.platform_audit_event_default (
    id bigint NOT NULL,
    at bigint NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    roles text NOT NULL,
    action text NOT NULL,
    purpose text NOT NULL,
    address text NOT NULL,
    request_id text NOT NULL,
    unmasked text NOT NULL,
    facts text NOT NULL,
    refused boolean NOT NULL
);

CREATE TABLE public.platform_audit_subject (
    subject_id bigint NOT NULL,
    event_id bigint NOT NULL,
    subject_kind text NOT NULL
)
PARTITION BY RANGE (event_id);

CREATE TABLE public.platform_audit_subject_default (
    subject_id bigint NOT NULL,
    event_id bigint NOT NULL,
    subject_kind text NOT NULL
);

CREATE TABLE public.platform_blob (
    id text NOT NULL,
    size bigint NOT NULL,
    digest text NOT NULL,
    finished boolean NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE public.platform_blob_part (
    blob_id text NOT NULL,
    part bigint NOT NULL,
    data bytea NOT NULL
);

CREATE TABLE public.platform_request (
    id text NOT NULL,
    digest text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    status integer NOT NULL,
    location text,
    flash text,
    etag text,
    content_type text,
    body text
);

CREATE TABLE public.privacy_agreement (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    agreement_type text,
    name text,
    description text,
    document_number bigint,
    initial_at bigint,
    statement text,
    status text NOT NULL,
    version text,
    period_from bigint,
    period_until bigint,
    completed_from bigint,
    completed_until bigint,
    specification_id text,
    specification_name text
);

CREATE TABLE public.privacy_agreement_authorization (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    signed_at bigint,
    signature text,
    state text
);

CREATE TABLE public.privacy_agreement_item (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    item_id text
);

CREATE TABLE public.privacy_agreement_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.privacy_agreement_profile (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    profile_id text,
    name text,
    referred_type text
);

CREATE TABLE public.privacy_agreement_term (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    term_id text,
    description text,
    valid_from bigint,
    valid_until bigint
);

CREATE TABLE public.privacy_consent (
    customer_id bigint NOT NULL,
    purpose text NOT NULL,
    topic text NOT NULL,
    decision text NOT NULL,
    since bigint NOT NULL,
    valid_from bigint,
    valid_until bigint,
    profile_id bigint NOT NULL
);

CREATE TABLE public.privacy_consent_evidence (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    happened_at bigint NOT NULL,
    purpose text NOT NULL,
    topic text NOT NULL,
    decision text NOT NULL,
    step text NOT NULL,
    valid_from bigint,
    valid_until bigint,
    profile_id bigint NOT NULL,
    agreed_party text,
    collected_on text,
    specification_id text,
    notice_version text,
    notice_hash text,
    actor_id bigint,
    actor_name text NOT NULL,
    request_id text NOT NULL
);

CREATE TABLE public.privacy_profile (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text,
    description text,
    status text NOT NULL,
    created_at bigint NOT NULL,
    valid_from bigint,
    valid_until bigint,
    agreed_id text,
    agreed_role text,
    agreed_name text,
    agreed_type text,
    applies_id text,
    applies_role text,
    applies_name text,
    applies_type text,
    agreement_id text,
    agreement_name text,
    specification_id text,
    specification_name text,
    collected_on text,
    notice_version text
);

CREATE TABLE public.privacy_profile_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    characteristic_id text,
    name text,
    purpose text,
    value_type text,
    value text
);

CREATE TABLE public.privacy_specification (
    id bigint NOT NULL,
    name text,
    description text,
    status text NOT NULL,
    version text,
    updated_at bigint NOT NULL,
    valid_from bigint,
    valid_until bigint
);

CREATE TABLE public.privacy_specification_characteristic (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    characteristic_id text,
    name text,
    description text,
    criticality text,
    privacy_type text,
    purpose text
);

CREATE TABLE public.privacy_specification_offering (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    offering_id text,
    name text,
    referred_type text
);

CREATE TABLE public.privacy_specification_party (
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.privacy_specification_value (
    owner_id bigint NOT NULL,
    item bigint NOT NULL,
    place bigint NOT NULL,
    value text,
    value_type text,
    is_default boolean
);

CREATE TABLE public.profiles_bucket (
    customer_id bigint NOT NULL,
    series_id bigint NOT NULL,
    day text NOT NULL,
    events bigint NOT NULL,
    amount bigint NOT NULL,
    last_at bigint NOT NULL,
    last_amount bigint NOT NULL,
    sketch bytea
);

CREATE TABLE public.profiles_counter (
    id bigint NOT NULL,
    name text NOT NULL,
    series_id bigint NOT NULL,
    title_en text NOT NULL,
    title_zh text NOT NULL,
    kind text NOT NULL,
    conditions text NOT NULL,
    sum_field text NOT NULL,
    distinct_field text NOT NULL,
    unit text NOT NULL,
    started_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    changed_by_name text NOT NULL
);

CREATE TABLE public.profiles_seen (
    source_id bigint NOT NULL,
    fingerprint bigint NOT NULL,
    arrived_day integer NOT NULL
);

CREATE TABLE public.profiles_source (
    id bigint NOT NULL,
    name text NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL,
    counted bigint NOT NULL,
    unused bigint NOT NULL,
    duplicate bigint NOT NULL,
    waited bigint NOT NULL,
    rejected bigint NOT NULL,
    last_at bigint
);

CREATE TABLE public.profiles_told (
    customer_id bigint NOT NULL,
    fingerprint bigint NOT NULL,
    kind text NOT NULL,
    day text NOT NULL,
    event text NOT NULL,
    arrived_at bigint NOT NULL
);

CREATE TABLE public.profiles_waiting (
    source_id bigint NOT NULL,
    fingerprint bigint NOT NULL,
    naming text NOT NULL,
    customer_name text NOT NULL,
    event text NOT NULL,
    arrived_at bigint NOT NULL
);

CREATE TABLE public.sales_lead (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    name text,
    description text,
    lead_type text,
    status text NOT NULL,
    status_reason text,
    status_changed_at bigint NOT NULL,
    created_at bigint NOT NULL,
    referred_at bigint,
    priority text,
    rating text,
    valid_from bigint,
    valid_until bigint,
    revenue bigint,
    revenue_currency text,
    category_id text,
    category_name text,
    channel_id text,
    channel_name text,
    segment_id text,
    segment_name text,
    campaign_id text,
    campaign_name text,
    product_id text,
    product_name text,
    offering_id text,
    offering_name text,
    specification_id text,
    specification_name text,
    opportunity_id text,
    opportunity_name text
);

CREATE TABLE public.sales_lead_contact (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    medium_type text,
    preferred boolean,
    contact_type text,
    phone text,
    email text,
    fax text,
    social_id text,
    street1 text,
    street2 text,
    city text,
    region text,
    post_code text,
    country text,
    valid_from bigint,
    valid_until bigint
);

CREATE TABLE public.sales_lead_note (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    note_id text,
    author text,
    written_at bigint,
    text text
);

CREATE TABLE public.sales_lead_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.schema_migration (
    module text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at bigint NOT NULL
);

CREATE TABLE public.servicedesk_appointment (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    external_id text,
    category text,
    description text,
    status text NOT NULL,
    starts_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    place_id text,
    place_name text,
    place_role text,
    place_type text,
    event_id text,
    event_name text
);

CREATE TABLE public.servicedesk_appointment_contact (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    medium_type text,
    preferred boolean,
    contact_type text,
    phone text,
    email text,
    fax text,
    social_id text,
    street1 text,
    street2 text,
    city text,
    region text,
    post_code text,
    country text,
    valid_from bigint,
    valid_until bigint
);

CREATE TABLE public.servicedesk_appointment_entity (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    entity_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.servicedesk_appointment_note (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    note_id text,
    author text,
    written_at bigint,
    text text
);

CREATE TABLE public.servicedesk_appointment_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.servicedesk_calendar (
    kind text NOT NULL,
    reference text NOT NULL,
    hours text NOT NULL,
    slot_minutes bigint NOT NULL,
    at_once bigint NOT NULL,
    closed_days text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by_name text NOT NULL
);

CREATE TABLE public.servicedesk_case (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    topic text NOT NULL,
    status text NOT NULL,
    priority text NOT NULL,
    opened_at bigint NOT NULL,
    resolved_at bigint,
    closed_at bigint,
    subject text,
    title text,
    severity text,
    updated_at bigint DEFAULT 0 NOT NULL,
    status_changed_at bigint,
    status_reason text,
    expected_at bigint,
    requested_at bigint,
    channel_id text,
    channel_name text
);

CREATE TABLE public.servicedesk_case_entity (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    entity_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.servicedesk_case_note (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    note_id text,
    author text,
    written_at bigint,
    text text
);

CREATE TABLE public.servicedesk_case_number (
    number text NOT NULL,
    customer_id bigint NOT NULL,
    case_id bigint NOT NULL
);

CREATE TABLE public.servicedesk_case_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.servicedesk_case_step (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    status text,
    changed_at bigint,
    reason text
);

CREATE TABLE public.servicedesk_case_text (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    tokens text NOT NULL
);

CREATE TABLE public.servicedesk_case_text_state (
    id bigint NOT NULL,
    step integer NOT NULL,
    since bigint NOT NULL
);

CREATE TABLE public.servicedesk_interaction (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    happened_at bigint NOT NULL,
    channel text NOT NULL,
    direction text NOT NULL,
    topic text NOT NULL,
    outcome text NOT NULL,
    language text,
    case_id bigint,
    note text,
    survey text,
    score integer,
    ended_at bigint,
    created_at bigint,
    status text,
    status_changed_at bigint
)
PARTITION BY RANGE (id);

CREATE TABLE public.servicedesk_interaction_default (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    happened_at bigint NOT NULL,
    channel text NOT NULL,
    direction text NOT NULL,
    topic text NOT NULL,
    outcome text NOT NULL,
    language text,
    case_id bigint,
    note text,
    survey text,
    score integer,
    ended_at bigint,
    created_at bigint,
    status text,
    status_changed_at bigint
);

CREATE TABLE public.servicedesk_interaction_note (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    note_id text,
    author text,
    written_at bigint,
    text text
);

CREATE TABLE public.servicedesk_interaction_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.servicedesk_record_key (
    kind text NOT NULL,
    source text NOT NULL,
    value text NOT NULL,
    customer_id bigint NOT NULL,
    record_id bigint NOT NULL
);

CREATE TABLE public.servicedesk_slot_asked (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    slot_id text,
    starts_at bigint,
    ends_at bigint
);

CREATE TABLE public.servicedesk_slot_free (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    slot_id text,
    starts_at bigint,
    ends_at bigint,
    party_id text,
    party_role text,
    party_type text
);

CREATE TABLE public.servicedesk_slot_search (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    searched_at bigint NOT NULL,
    result text,
    status text NOT NULL,
    party_id text,
    party_role text,
    party_name text,
    party_type text,
    place_id text,
    place_name text,
    place_role text,
    place_type text
);

CREATE TABLE public.storage_copy (
    name text NOT NULL,
    after_key text,
    done bigint NOT NULL,
    finished boolean NOT NULL
);

CREATE TABLE public.storage_job (
    id bigint NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    status text NOT NULL,
    done bigint NOT NULL,
    total bigint NOT NULL,
    message_en text NOT NULL,
    message_zh text NOT NULL,
    result text,
    attempts integer NOT NULL,
    attempts_max integer NOT NULL,
    run_at bigint NOT NULL,
    lease_owner text,
    lease_until bigint NOT NULL,
    cancel_requested boolean NOT NULL,
    created_by text NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    failures integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.storage_mark (
    name text NOT NULL,
    value text NOT NULL,
    marked_at bigint NOT NULL
);

CREATE TABLE public.storage_node (
    node integer NOT NULL,
    holder text NOT NULL,
    lease_until bigint NOT NULL
);

CREATE TABLE public.storage_outbox_event (
    id bigint NOT NULL,
    type text NOT NULL,
    payload text NOT NULL,
    created_at bigint NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at bigint NOT NULL,
    last_error text
)
PARTITION BY RANGE (id);

CREATE TABLE public.storage_outbox_event_default (
    id bigint NOT NULL,
    type text NOT NULL,
    payload text NOT NULL,
    created_at bigint NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at bigint NOT NULL,
    last_error text
);

CREATE TABLE public.storage_outbox_receipt (
    event_id bigint NOT NULL,
    handler text NOT NULL,
    handled_at bigint NOT NULL
)
PARTITION BY RANGE (event_id);

CREATE TABLE public.storage_outbox_receipt_default (
    event_id bigint NOT NULL,
    handler text NOT NULL,
    handled_at bigint NOT NULL
);

CREATE TABLE public.storage_schedule (
    name text NOT NULL,
    next_run_at bigint NOT NULL
);

CREATE TABLE public.storage_server (
    holder text NOT NULL,
    alive_until bigint NOT NULL
);

CREATE TABLE public.tmf_hub (
    id bigint NOT NULL,
    api bigint NOT NULL,
    client text NOT NULL,
    callback text NOT NULL,
    query text NOT NULL,
    same text NOT NULL,
    salt text NOT NULL,
    origin text NOT NULL,
    state text NOT NULL,
    created_at bigint NOT NULL,
    resumed_at bigint NOT NULL,
    failures bigint NOT NULL,
    due_at bigint,
    lease_owner text NOT NULL,
    lease_until bigint NOT NULL,
    version bigint DEFAULT 4 NOT NULL
);

CREATE TABLE public.tmf_hub_delivery (
    id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    event_id bigint NOT NULL,
    correlation_id bigint NOT NULL,
    event_type text NOT NULL,
    kind text NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL,
    field text NOT NULL,
    event_at bigint NOT NULL,
    queued_at bigint NOT NULL,
    state text NOT NULL,
    attempts bigint NOT NULL,
    tried_at bigint,
    answer bigint NOT NULL,
    reason text NOT NULL,
    ended_at bigint,
    seen_with bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.tmf_hub_last (
    subscription_id bigint NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL,
    document text,
    meets bigint NOT NULL,
    rights text NOT NULL,
    pending bigint NOT NULL,
    kept_at bigint NOT NULL,
    keep_until bigint NOT NULL
);

CREATE TABLE public.tmf_hub_last_named (
    named_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL
);

CREATE TABLE public.tmf_hub_seen (
    event_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL,
    document text,
    meets bigint NOT NULL,
    rights text NOT NULL,
    keep_until bigint NOT NULL
);

CREATE TABLE public.tmf_hub_seen_named (
    named_id bigint NOT NULL,
    event_id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL
);

CREATE TABLE public.tmf_hub_told (
    subscription_id bigint NOT NULL,
    resource text NOT NULL,
    resource_id bigint NOT NULL
);

CREATE TABLE public.tmf_kept (
    resource text NOT NULL,
    id bigint NOT NULL,
    attributes text NOT NULL
);

CREATE TABLE public.tmf_kept_value (
    resource text NOT NULL,
    path text NOT NULL,
    value text NOT NULL,
    id bigint NOT NULL
);

CREATE TABLE public.usage_block (
    source_id bigint NOT NULL,
    id bigint NOT NULL,
    arrived_week integer NOT NULL,
    level integer NOT NULL,
    slot bigint NOT NULL,
    entries integer NOT NULL
);

CREATE TABLE public.usage_block_bytes (
    id bigint NOT NULL,
    bloom bytea NOT NULL,
    prints bytea NOT NULL,
    payload bytea NOT NULL
);

CREATE TABLE public.usage_consumption (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    asked_at bigint NOT NULL,
    state_reason text
);

CREATE TABLE public.usage_consumption_bucket (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    subscription_id bigint NOT NULL,
    month text NOT NULL,
    number text,
    plan text,
    tariff text,
    kind text NOT NULL,
    used bigint NOT NULL,
    included bigint,
    remaining bigint,
    beyond bigint,
    roaming bigint,
    is_month_only boolean NOT NULL
);

CREATE TABLE public.usage_consumption_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.usage_day (
    customer_id bigint NOT NULL,
    day text NOT NULL,
    subscription_id bigint NOT NULL,
    events bigint NOT NULL,
    calls bigint NOT NULL,
    voice_ms bigint NOT NULL,
    billed_minutes bigint NOT NULL,
    dropped_calls bigint NOT NULL,
    sms bigint NOT NULL,
    sessions bigint NOT NULL,
    data_bytes bigint NOT NULL,
    roaming_bytes bigint NOT NULL,
    roaming_ms bigint NOT NULL,
    roaming_sms bigint NOT NULL,
    speed_sum bigint NOT NULL,
    speed_count bigint NOT NULL,
    cells bigint NOT NULL
)
PARTITION BY RANGE (day);

CREATE TABLE public.usage_day_default (
    customer_id bigint NOT NULL,
    day text NOT NULL,
    subscription_id bigint NOT NULL,
    events bigint NOT NULL,
    calls bigint NOT NULL,
    voice_ms bigint NOT NULL,
    billed_minutes bigint NOT NULL,
    dropped_calls bigint NOT NULL,
    sms bigint NOT NULL,
    sessions bigint NOT NULL,
    data_bytes bigint NOT NULL,
    roaming_bytes bigint NOT NULL,
    roaming_ms bigint NOT NULL,
    roaming_sms bigint NOT NULL,
    speed_sum bigint NOT NULL,
    speed_count bigint NOT NULL,
    cells bigint NOT NULL
);

CREATE TABLE public.usage_record (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    description text,
    used_at bigint,
    usage_type text,
    status text NOT NULL,
    status_reason text,
    specification_id text,
    specification_name text,
    external_id text,
    version bigint NOT NULL,
    booked text NOT NULL,
    line_customer_id bigint,
    subscription_id bigint,
    day bigint,
    kind text,
    quantity bigint,
    is_roaming boolean,
    is_dropped boolean,
    speed bigint,
    cell bigint,
    naming text,
    line text
)
PARTITION BY RANGE (id);

CREATE TABLE public.usage_record_characteristic (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value text,
    value_type text,
    more text
)
PARTITION BY RANGE (owner_id);

CREATE TABLE public.usage_record_characteristic_default (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    name text,
    value text,
    value_type text,
    more text
);

CREATE TABLE public.usage_record_default (
    customer_id bigint NOT NULL,
    id bigint NOT NULL,
    description text,
    used_at bigint,
    usage_type text,
    status text NOT NULL,
    status_reason text,
    specification_id text,
    specification_name text,
    external_id text,
    version bigint NOT NULL,
    booked text NOT NULL,
    line_customer_id bigint,
    subscription_id bigint,
    day bigint,
    kind text,
    quantity bigint,
    is_roaming boolean,
    is_dropped boolean,
    speed bigint,
    cell bigint,
    naming text,
    line text
);

CREATE TABLE public.usage_record_party (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
)
PARTITION BY RANGE (owner_id);

CREATE TABLE public.usage_record_party_default (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    party_id text,
    role text,
    name text,
    referred_type text
);

CREATE TABLE public.usage_record_rating (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    rated_at bigint,
    tariff_type text,
    tag text,
    is_billed boolean,
    amount_minor bigint,
    currency text,
    product_id text,
    more text
)
PARTITION BY RANGE (owner_id);

CREATE TABLE public.usage_record_rating_default (
    customer_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    place bigint NOT NULL,
    rated_at bigint,
    tariff_type text,
    tag text,
    is_billed boolean,
    amount_minor bigint,
    currency text,
    product_id text,
    more text
);

CREATE TABLE public.usage_reject (
    run_id bigint NOT NULL,
    line bigint NOT NULL,
    column_name text NOT NULL,
    code text NOT NULL,
    event_id text
);

CREATE TABLE public.usage_run (
    id bigint NOT NULL,
    source_id bigint NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    size bigint NOT NULL,
    mapping text NOT NULL,
    state text NOT NULL,
    worker text NOT NULL,
    chunk bigint NOT NULL,
    records bigint NOT NULL,
    taken bigint NOT NULL,
    duplicate bigint NOT NULL,
    corrected bigint NOT NULL,
    cancelled bigint NOT NULL,
    unmatched bigint NOT NULL,
    rejected bigint NOT NULL,
    created_at bigint NOT NULL,
    touched_at bigint NOT NULL,
    finished_at bigint,
    created_by_name text NOT NULL
);

CREATE TABLE public.usage_source (
    id bigint NOT NULL,
    name text NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL,
    waiting bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.usage_specification (
    id bigint NOT NULL,
    name text,
    description text,
    version text,
    lifecycle_status text,
    is_bundle boolean,
    changed_at bigint NOT NULL,
    valid_from bigint,
    valid_until bigint
);

CREATE TABLE public.usage_tariff (
    name text NOT NULL,
    valid_from text NOT NULL,
    plans text NOT NULL,
    currency text NOT NULL,
    fee bigint NOT NULL,
    minutes bigint NOT NULL,
    messages bigint NOT NULL,
    megabytes bigint NOT NULL,
    per_minute bigint NOT NULL,
    per_message bigint NOT NULL,
    per_gigabyte bigint NOT NULL,
    voice_rounding text NOT NULL,
    data_step_mb bigint NOT NULL,
    changed_at bigint NOT NULL,
    changed_by_name text NOT NULL
);

CREATE TABLE public.usage_unmatched (
    source_id bigint NOT NULL,
    fingerprint bigint NOT NULL,
    naming text NOT NULL,
    line text NOT NULL,
    event bytea NOT NULL,
    arrived_at bigint NOT NULL,
    run_id bigint
);

CREATE TABLE public.usage_waiting (
    source_id bigint NOT NULL,
    naming text NOT NULL,
    line text NOT NULL,
    events bigint NOT NULL
);

ALTER TABLE ONLY public.customers_usage_month ATTACH PARTITION public.customers_usage_month_default DEFAULT;

ALTER TABLE ONLY public.insights_score_history ATTACH PARTITION public.insights_score_history_default DEFAULT;

ALTER TABLE ONLY public.platform_audit_event ATTACH PARTITION public.platform_audit_event_default DEFAULT;

ALTER TABLE ONLY public.platform_audit_subject ATTACH PARTITION public.platform_audit_subject_default DEFAULT;

ALTER TABLE ONLY public.servicedesk_interaction ATTACH PARTITION public.servicedesk_interaction_default DEFAULT;

ALTER TABLE ONLY public.storage_outbox_event ATTACH PARTITION public.storage_outbox_event_default DEFAULT;

ALTER TABLE ONLY public.storage_outbox_receipt ATTACH PARTITION public.storage_outbox_receipt_default DEFAULT;

ALTER TABLE ONLY public.usage_day ATTACH PARTITION public.usage_day_default DEFAULT;

ALTER TABLE ONLY public.usage_record_characteristic ATTACH PARTITION public.usage_record_characteristic_default DEFAULT;

ALTER TABLE ONLY public.usage_record ATTACH PARTITION public.usage_record_default DEFAULT;

ALTER TABLE ONLY public.usage_record_party ATTACH PARTITION public.usage_record_party_default DEFAULT;

ALTER TABLE ONLY public.usage_record_rating ATTACH PARTITION public.usage_record_rating_default DEFAULT;

ALTER TABLE ONLY public.catalog_catalog_category
    ADD CONSTRAINT catalog_catalog_category_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_catalog_party
    ADD CONSTRAINT catalog_catalog_party_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_catalog
    ADD CONSTRAINT catalog_catalog_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.catalog_category_child
    ADD CONSTRAINT catalog_category_child_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_category_offering
    ADD CONSTRAINT catalog_category_offering_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_category
    ADD CONSTRAINT catalog_category_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.catalog_offering_bundle
    ADD CONSTRAINT catalog_offering_bundle_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering_category
    ADD CONSTRAINT catalog_offering_category_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering_channel
    ADD CONSTRAINT catalog_offering_channel_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering
    ADD CONSTRAINT catalog_offering_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.catalog_offering_place
    ADD CONSTRAINT catalog_offering_place_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering_price
    ADD CONSTRAINT catalog_offering_price_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering_relationship
    ADD CONSTRAINT catalog_offering_relationship_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering_segment
    ADD CONSTRAINT catalog_offering_segment_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_offering_term
    ADD CONSTRAINT catalog_offering_term_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_price_bundle
    ADD CONSTRAINT catalog_price_bundle_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_price
    ADD CONSTRAINT catalog_price_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.catalog_price_relationship
    ADD CONSTRAINT catalog_price_relationship_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_price_tax
    ADD CONSTRAINT catalog_price_tax_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_promotion_action
    ADD CONSTRAINT catalog_promotion_action_pkey PRIMARY KEY (owner_id, item, place);

ALTER TABLE ONLY public.catalog_promotion_pattern
    ADD CONSTRAINT catalog_promotion_pattern_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_promotion
    ADD CONSTRAINT catalog_promotion_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.catalog_specification_bundle
    ADD CONSTRAINT catalog_specification_bundle_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_specification_characteristic
    ADD CONSTRAINT catalog_specification_characteristic_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_specification_party
    ADD CONSTRAINT catalog_specification_party_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_specification
    ADD CONSTRAINT catalog_specification_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.catalog_specification_relationship
    ADD CONSTRAINT catalog_specification_relationship_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.catalog_specification_value
    ADD CONSTRAINT catalog_specification_value_pkey PRIMARY KEY (owner_id, item, place);

ALTER TABLE ONLY public.channels_delivery
    ADD CONSTRAINT channels_delivery_pkey PRIMARY KEY (customer_id, message_id, place);

ALTER TABLE ONLY public.channels_message_attachment
    ADD CONSTRAINT channels_message_attachment_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.channels_message_characteristic
    ADD CONSTRAINT channels_message_characteristic_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.channels_message
    ADD CONSTRAINT channels_message_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.channels_message_receiver
    ADD CONSTRAINT channels_message_receiver_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_account_contact_medium
    ADD CONSTRAINT customers_account_contact_medium_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.customers_account_contact
    ADD CONSTRAINT customers_account_contact_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_account_media
    ADD CONSTRAINT customers_account_media_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_account_party
    ADD CONSTRAINT customers_account_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_account
    ADD CONSTRAINT customers_account_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_account_plan
    ADD CONSTRAINT customers_account_plan_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_account_relation
    ADD CONSTRAINT customers_account_relation_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_account_role
    ADD CONSTRAINT customers_account_role_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_account_tax
    ADD CONSTRAINT customers_account_tax_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_addon
    ADD CONSTRAINT customers_addon_pkey PRIMARY KEY (customer_id, subscription_id, code);

ALTER TABLE ONLY public.customers_address
    ADD CONSTRAINT customers_address_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_attribute
    ADD CONSTRAINT customers_attribute_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_attribute_value
    ADD CONSTRAINT customers_attribute_value_pkey PRIMARY KEY (customer_id, attribute_id);

ALTER TABLE ONLY public.customers_bill_cycle
    ADD CONSTRAINT customers_bill_cycle_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_bill_format
    ADD CONSTRAINT customers_bill_format_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_bill_media
    ADD CONSTRAINT customers_bill_media_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_change
    ADD CONSTRAINT customers_change_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_charge
    ADD CONSTRAINT customers_charge_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_contact_medium
    ADD CONSTRAINT customers_contact_medium_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_correction
    ADD CONSTRAINT customers_correction_pkey PRIMARY KEY (customer_id, field);

ALTER TABLE ONLY public.customers_customer_link
    ADD CONSTRAINT customers_customer_link_pkey PRIMARY KEY (from_id, to_id);

ALTER TABLE ONLY public.customers_customer
    ADD CONSTRAINT customers_customer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_financial_account
    ADD CONSTRAINT customers_financial_account_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_financial_balance
    ADD CONSTRAINT customers_financial_balance_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_identifier
    ADD CONSTRAINT customers_identifier_pkey PRIMARY KEY (kind, value);

ALTER TABLE ONLY public.customers_identity_document
    ADD CONSTRAINT customers_identity_document_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_kept_decision
    ADD CONSTRAINT customers_kept_decision_pkey PRIMARY KEY (one_number, other_number, one_source, other_source);

ALTER TABLE ONLY public.customers_listing
    ADD CONSTRAINT customers_listing_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.customers_lone_party
    ADD CONSTRAINT customers_lone_party_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_match_key
    ADD CONSTRAINT customers_match_key_pkey PRIMARY KEY (key, customer_id);

ALTER TABLE ONLY public.customers_match_model
    ADD CONSTRAINT customers_match_model_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_match_pair
    ADD CONSTRAINT customers_match_pair_pkey PRIMARY KEY (left_id, right_id);

ALTER TABLE ONLY public.customers_match_record
    ADD CONSTRAINT customers_match_record_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.customers_match_setting
    ADD CONSTRAINT customers_match_setting_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_outcome
    ADD CONSTRAINT customers_outcome_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_party
    ADD CONSTRAINT customers_party_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_party_role_account
    ADD CONSTRAINT customers_party_role_account_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role_agreement
    ADD CONSTRAINT customers_party_role_agreement_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role_characteristic
    ADD CONSTRAINT customers_party_role_characteristic_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role_credit
    ADD CONSTRAINT customers_party_role_credit_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role_medium
    ADD CONSTRAINT customers_party_role_medium_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role_party
    ADD CONSTRAINT customers_party_role_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role_payment
    ADD CONSTRAINT customers_party_role_payment_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.customers_party_role
    ADD CONSTRAINT customers_party_role_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_record_key
    ADD CONSTRAINT customers_record_key_pkey PRIMARY KEY (kind, source, value);

ALTER TABLE ONLY public.customers_relation
    ADD CONSTRAINT customers_relation_pkey PRIMARY KEY (customer_id, other_id, role);

ALTER TABLE ONLY public.customers_saved_view
    ADD CONSTRAINT customers_saved_view_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_search_number
    ADD CONSTRAINT customers_search_number_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_search
    ADD CONSTRAINT customers_search_pkey PRIMARY KEY (kind, token, customer_id);

ALTER TABLE ONLY public.customers_search_state
    ADD CONSTRAINT customers_search_state_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_search_text
    ADD CONSTRAINT customers_search_text_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.customers_search_word
    ADD CONSTRAINT customers_search_word_pkey PRIMARY KEY (variant, word);

ALTER TABLE ONLY public.customers_subscription_history
    ADD CONSTRAINT customers_subscription_history_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_subscription_locator
    ADD CONSTRAINT customers_subscription_locator_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_subscription
    ADD CONSTRAINT customers_subscription_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.customers_usage_month
    ADD CONSTRAINT customers_usage_month_pkey PRIMARY KEY (customer_id, subscription_id, month);

ALTER TABLE ONLY public.customers_usage_month_default
    ADD CONSTRAINT customers_usage_month_default_pkey PRIMARY KEY (customer_id, subscription_id, month);

ALTER TABLE ONLY public.customers_value_policy
    ADD CONSTRAINT customers_value_policy_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.identity_bootstrap
    ADD CONSTRAINT identity_bootstrap_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.identity_client
    ADD CONSTRAINT identity_client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.identity_known_address
    ADD CONSTRAINT identity_known_address_pkey PRIMARY KEY (user_id, address);

ALTER TABLE ONLY public.identity_session
    ADD CONSTRAINT identity_session_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.identity_signing_key
    ADD CONSTRAINT identity_signing_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.identity_throttle
    ADD CONSTRAINT identity_throttle_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.identity_token
    ADD CONSTRAINT identity_token_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.identity_user_name
    ADD CONSTRAINT identity_user_name_pkey PRIMARY KEY (folded_name);

ALTER TABLE ONLY public.identity_user
    ADD CONSTRAINT identity_user_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.identity_user_role
    ADD CONSTRAINT identity_user_role_pkey PRIMARY KEY (user_id, role);

ALTER TABLE ONLY public.ingest_file
    ADD CONSTRAINT ingest_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ingest_finding
    ADD CONSTRAINT ingest_finding_pkey PRIMARY KEY (run_id, phase, rule, field);

ALTER TABLE ONLY public.ingest_forecast
    ADD CONSTRAINT ingest_forecast_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.ingest_intake_file
    ADD CONSTRAINT ingest_intake_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ingest_intake
    ADD CONSTRAINT ingest_intake_pkey PRIMARY KEY (source);

ALTER TABLE ONLY public.ingest_journal
    ADD CONSTRAINT ingest_journal_pkey PRIMARY KEY (run_id, chunk);

ALTER TABLE ONLY public.ingest_lineage
    ADD CONSTRAINT ingest_lineage_pkey PRIMARY KEY (customer_id, run_id, record);

ALTER TABLE ONLY public.ingest_mapping
    ADD CONSTRAINT ingest_mapping_pkey PRIMARY KEY (entity, signature);

ALTER TABLE ONLY public.ingest_quality
    ADD CONSTRAINT ingest_quality_pkey PRIMARY KEY (source, entity, day, rule, field);

ALTER TABLE ONLY public.ingest_quarantine
    ADD CONSTRAINT ingest_quarantine_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ingest_record_lineage
    ADD CONSTRAINT ingest_record_lineage_pkey PRIMARY KEY (customer_id, record_id, run_id, record);

ALTER TABLE ONLY public.ingest_reject
    ADD CONSTRAINT ingest_reject_pkey PRIMARY KEY (run_id, phase, record);

ALTER TABLE ONLY public.ingest_revert_issue
    ADD CONSTRAINT ingest_revert_issue_pkey PRIMARY KEY (run_id, chunk, number);

ALTER TABLE ONLY public.ingest_rule
    ADD CONSTRAINT ingest_rule_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.ingest_run
    ADD CONSTRAINT ingest_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ingest_source_mapping
    ADD CONSTRAINT ingest_source_mapping_pkey PRIMARY KEY (source, entity, version);

ALTER TABLE ONLY public.ingest_source
    ADD CONSTRAINT ingest_source_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.insights_churn_score
    ADD CONSTRAINT insights_churn_score_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.insights_contact_plan
    ADD CONSTRAINT insights_contact_plan_pkey PRIMARY KEY (customer_id, week);

ALTER TABLE ONLY public.insights_model
    ADD CONSTRAINT insights_model_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.insights_recommendation_item
    ADD CONSTRAINT insights_recommendation_item_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.insights_recommendation
    ADD CONSTRAINT insights_recommendation_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.insights_risk_summary
    ADD CONSTRAINT insights_risk_summary_pkey PRIMARY KEY (scored_on, region, band);

ALTER TABLE ONLY public.insights_score_history
    ADD CONSTRAINT insights_score_history_pkey PRIMARY KEY (customer_id, scored_on);

ALTER TABLE ONLY public.insights_score_history_default
    ADD CONSTRAINT insights_score_history_default_pkey PRIMARY KEY (customer_id, scored_on);

ALTER TABLE ONLY public.insights_scoring_run
    ADD CONSTRAINT insights_scoring_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orders_agreement_characteristic
    ADD CONSTRAINT orders_agreement_characteristic_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_agreement_item
    ADD CONSTRAINT orders_agreement_item_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_agreement_offering
    ADD CONSTRAINT orders_agreement_offering_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.orders_agreement_party
    ADD CONSTRAINT orders_agreement_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_agreement
    ADD CONSTRAINT orders_agreement_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.orders_agreement_product
    ADD CONSTRAINT orders_agreement_product_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.orders_agreement_spec_attachment
    ADD CONSTRAINT orders_agreement_spec_attachment_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.orders_agreement_spec_characteristic
    ADD CONSTRAINT orders_agreement_spec_characteristic_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.orders_agreement_spec
    ADD CONSTRAINT orders_agreement_spec_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orders_agreement_term
    ADD CONSTRAINT orders_agreement_term_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.orders_cancellation
    ADD CONSTRAINT orders_cancellation_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.orders_item_characteristic
    ADD CONSTRAINT orders_item_characteristic_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.orders_item
    ADD CONSTRAINT orders_item_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_order_channel
    ADD CONSTRAINT orders_order_channel_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_order_note
    ADD CONSTRAINT orders_order_note_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_order_party
    ADD CONSTRAINT orders_order_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_order
    ADD CONSTRAINT orders_order_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.orders_order_quote
    ADD CONSTRAINT orders_order_quote_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product_characteristic
    ADD CONSTRAINT orders_product_characteristic_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product_origin
    ADD CONSTRAINT orders_product_origin_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product_party
    ADD CONSTRAINT orders_product_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product
    ADD CONSTRAINT orders_product_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.orders_product_price
    ADD CONSTRAINT orders_product_price_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product_relation
    ADD CONSTRAINT orders_product_relation_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product_resource
    ADD CONSTRAINT orders_product_resource_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_product_service
    ADD CONSTRAINT orders_product_service_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_quote_approval
    ADD CONSTRAINT orders_quote_approval_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_quote_item
    ADD CONSTRAINT orders_quote_item_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_quote_item_price
    ADD CONSTRAINT orders_quote_item_price_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.orders_quote_note
    ADD CONSTRAINT orders_quote_note_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_quote_party
    ADD CONSTRAINT orders_quote_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.orders_quote
    ADD CONSTRAINT orders_quote_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.orders_quote_total
    ADD CONSTRAINT orders_quote_total_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.platform_audit_event
    ADD CONSTRAINT platform_audit_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.platform_audit_event_default
    ADD CONSTRAINT platform_audit_event_default_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.platform_audit_subject
    ADD CONSTRAINT platform_audit_subject_pkey PRIMARY KEY (subject_id, event_id);

ALTER TABLE ONLY public.platform_audit_subject_default
    ADD CONSTRAINT platform_audit_subject_default_pkey PRIMARY KEY (subject_id, event_id);

ALTER TABLE ONLY public.platform_blob_part
    ADD CONSTRAINT platform_blob_part_pkey PRIMARY KEY (blob_id, part);

ALTER TABLE ONLY public.platform_blob
    ADD CONSTRAINT platform_blob_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.platform_request
    ADD CONSTRAINT platform_request_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.privacy_agreement_authorization
    ADD CONSTRAINT privacy_agreement_authorization_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.privacy_agreement_item
    ADD CONSTRAINT privacy_agreement_item_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.privacy_agreement_party
    ADD CONSTRAINT privacy_agreement_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.privacy_agreement
    ADD CONSTRAINT privacy_agreement_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.privacy_agreement_profile
    ADD CONSTRAINT privacy_agreement_profile_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.privacy_agreement_term
    ADD CONSTRAINT privacy_agreement_term_pkey PRIMARY KEY (customer_id, owner_id, item, place);

ALTER TABLE ONLY public.privacy_consent_evidence
    ADD CONSTRAINT privacy_consent_evidence_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.privacy_consent
    ADD CONSTRAINT privacy_consent_pkey PRIMARY KEY (customer_id, purpose, topic);

ALTER TABLE ONLY public.privacy_profile_characteristic
    ADD CONSTRAINT privacy_profile_characteristic_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.privacy_profile
    ADD CONSTRAINT privacy_profile_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.privacy_specification_characteristic
    ADD CONSTRAINT privacy_specification_characteristic_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.privacy_specification_offering
    ADD CONSTRAINT privacy_specification_offering_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.privacy_specification_party
    ADD CONSTRAINT privacy_specification_party_pkey PRIMARY KEY (owner_id, place);

ALTER TABLE ONLY public.privacy_specification
    ADD CONSTRAINT privacy_specification_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.privacy_specification_value
    ADD CONSTRAINT privacy_specification_value_pkey PRIMARY KEY (owner_id, item, place);

ALTER TABLE ONLY public.profiles_bucket
    ADD CONSTRAINT profiles_bucket_pkey PRIMARY KEY (customer_id, series_id, day);

ALTER TABLE ONLY public.profiles_counter
    ADD CONSTRAINT profiles_counter_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles_seen
    ADD CONSTRAINT profiles_seen_pkey PRIMARY KEY (source_id, fingerprint);

ALTER TABLE ONLY public.profiles_source
    ADD CONSTRAINT profiles_source_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles_told
    ADD CONSTRAINT profiles_told_pkey PRIMARY KEY (customer_id, fingerprint);

ALTER TABLE ONLY public.profiles_waiting
    ADD CONSTRAINT profiles_waiting_pkey PRIMARY KEY (source_id, fingerprint);

ALTER TABLE ONLY public.sales_lead_contact
    ADD CONSTRAINT sales_lead_contact_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.sales_lead_note
    ADD CONSTRAINT sales_lead_note_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.sales_lead_party
    ADD CONSTRAINT sales_lead_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.sales_lead
    ADD CONSTRAINT sales_lead_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (module, number);

ALTER TABLE ONLY public.servicedesk_appointment_contact
    ADD CONSTRAINT servicedesk_appointment_contact_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_appointment_entity
    ADD CONSTRAINT servicedesk_appointment_entity_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_appointment_note
    ADD CONSTRAINT servicedesk_appointment_note_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_appointment_party
    ADD CONSTRAINT servicedesk_appointment_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_appointment
    ADD CONSTRAINT servicedesk_appointment_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.servicedesk_calendar
    ADD CONSTRAINT servicedesk_calendar_pkey PRIMARY KEY (kind, reference);

ALTER TABLE ONLY public.servicedesk_case_entity
    ADD CONSTRAINT servicedesk_case_entity_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_case_note
    ADD CONSTRAINT servicedesk_case_note_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_case_number
    ADD CONSTRAINT servicedesk_case_number_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.servicedesk_case_party
    ADD CONSTRAINT servicedesk_case_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_case
    ADD CONSTRAINT servicedesk_case_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.servicedesk_case_step
    ADD CONSTRAINT servicedesk_case_step_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_case_text
    ADD CONSTRAINT servicedesk_case_text_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.servicedesk_case_text_state
    ADD CONSTRAINT servicedesk_case_text_state_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.servicedesk_interaction
    ADD CONSTRAINT servicedesk_interaction_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.servicedesk_interaction_default
    ADD CONSTRAINT servicedesk_interaction_default_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.servicedesk_interaction_note
    ADD CONSTRAINT servicedesk_interaction_note_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_interaction_party
    ADD CONSTRAINT servicedesk_interaction_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_record_key
    ADD CONSTRAINT servicedesk_record_key_pkey PRIMARY KEY (kind, source, value);

ALTER TABLE ONLY public.servicedesk_slot_asked
    ADD CONSTRAINT servicedesk_slot_asked_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_slot_free
    ADD CONSTRAINT servicedesk_slot_free_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.servicedesk_slot_search
    ADD CONSTRAINT servicedesk_slot_search_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.storage_copy
    ADD CONSTRAINT storage_copy_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.storage_job
    ADD CONSTRAINT storage_job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.storage_mark
    ADD CONSTRAINT storage_mark_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.storage_node
    ADD CONSTRAINT storage_node_pkey PRIMARY KEY (node);

ALTER TABLE ONLY public.storage_outbox_event
    ADD CONSTRAINT storage_outbox_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.storage_outbox_event_default
    ADD CONSTRAINT storage_outbox_event_default_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.storage_outbox_receipt
    ADD CONSTRAINT storage_outbox_receipt_pkey PRIMARY KEY (event_id, handler);

ALTER TABLE ONLY public.storage_outbox_receipt_default
    ADD CONSTRAINT storage_outbox_receipt_default_pkey PRIMARY KEY (event_id, handler);

ALTER TABLE ONLY public.storage_schedule
    ADD CONSTRAINT storage_schedule_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.storage_server
    ADD CONSTRAINT storage_server_pkey PRIMARY KEY (holder);

ALTER TABLE ONLY public.tmf_hub_delivery
    ADD CONSTRAINT tmf_hub_delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tmf_hub_last_named
    ADD CONSTRAINT tmf_hub_last_named_pkey PRIMARY KEY (named_id, subscription_id, resource, resource_id);

ALTER TABLE ONLY public.tmf_hub_last
    ADD CONSTRAINT tmf_hub_last_pkey PRIMARY KEY (subscription_id, resource, resource_id);

ALTER TABLE ONLY public.tmf_hub
    ADD CONSTRAINT tmf_hub_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tmf_hub_seen_named
    ADD CONSTRAINT tmf_hub_seen_named_pkey PRIMARY KEY (named_id, event_id, subscription_id, resource, resource_id);

ALTER TABLE ONLY public.tmf_hub_seen
    ADD CONSTRAINT tmf_hub_seen_pkey PRIMARY KEY (event_id, subscription_id, resource, resource_id);

ALTER TABLE ONLY public.tmf_hub_told
    ADD CONSTRAINT tmf_hub_told_pkey PRIMARY KEY (subscription_id, resource, resource_id);

ALTER TABLE ONLY public.tmf_kept
    ADD CONSTRAINT tmf_kept_pkey PRIMARY KEY (resource, id);

ALTER TABLE ONLY public.tmf_kept_value
    ADD CONSTRAINT tmf_kept_value_pkey PRIMARY KEY (resource, path, value, id);

ALTER TABLE ONLY public.usage_block_bytes
    ADD CONSTRAINT usage_block_bytes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usage_block
    ADD CONSTRAINT usage_block_pkey PRIMARY KEY (source_id, id);

ALTER TABLE ONLY public.usage_consumption_bucket
    ADD CONSTRAINT usage_consumption_bucket_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_consumption_party
    ADD CONSTRAINT usage_consumption_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_consumption
    ADD CONSTRAINT usage_consumption_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.usage_day
    ADD CONSTRAINT usage_day_pkey PRIMARY KEY (customer_id, day, subscription_id);

ALTER TABLE ONLY public.usage_day_default
    ADD CONSTRAINT usage_day_default_pkey PRIMARY KEY (customer_id, day, subscription_id);

ALTER TABLE ONLY public.usage_record_characteristic
    ADD CONSTRAINT usage_record_characteristic_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_record_characteristic_default
    ADD CONSTRAINT usage_record_characteristic_default_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_record
    ADD CONSTRAINT usage_record_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.usage_record_default
    ADD CONSTRAINT usage_record_default_pkey PRIMARY KEY (customer_id, id);

ALTER TABLE ONLY public.usage_record_party
    ADD CONSTRAINT usage_record_party_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_record_party_default
    ADD CONSTRAINT usage_record_party_default_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_record_rating
    ADD CONSTRAINT usage_record_rating_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_record_rating_default
    ADD CONSTRAINT usage_record_rating_default_pkey PRIMARY KEY (customer_id, owner_id, place);

ALTER TABLE ONLY public.usage_reject
    ADD CONSTRAINT usage_reject_pkey PRIMARY KEY (run_id, line);

ALTER TABLE ONLY public.usage_run
    ADD CONSTRAINT usage_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usage_source
    ADD CONSTRAINT usage_source_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usage_specification
    ADD CONSTRAINT usage_specification_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usage_tariff
    ADD CONSTRAINT usage_tariff_pkey PRIMARY KEY (name, valid_from);

ALTER TABLE ONLY public.usage_unmatched
    ADD CONSTRAINT usage_unmatched_pkey PRIMARY KEY (source_id, fingerprint);

ALTER TABLE ONLY public.usage_waiting
    ADD CONSTRAINT usage_waiting_pkey PRIMARY KEY (source_id, naming, line);

CREATE INDEX catalog_catalog_category_category ON public.catalog_catalog_category USING btree (category_id);

CREATE INDEX catalog_catalog_name ON public.catalog_catalog USING btree (name, id);

CREATE INDEX catalog_catalog_party_party ON public.catalog_catalog_party USING btree (party_id);

CREATE INDEX catalog_catalog_status ON public.catalog_catalog USING btree (status, id);

CREATE INDEX catalog_catalog_updated ON public.catalog_catalog USING btree (updated_at, id);

CREATE INDEX catalog_category_child_category ON public.catalog_category_child USING btree (category_id);

CREATE INDEX catalog_category_name ON public.catalog_category USING btree (name, id);

CREATE INDEX catalog_category_offering_offering ON public.catalog_category_offering USING btree (offering_id);

CREATE INDEX catalog_category_parent ON public.catalog_category USING btree (parent_id);

CREATE INDEX catalog_category_status ON public.catalog_category USING btree (status, id);

CREATE INDEX catalog_category_updated ON public.catalog_category USING btree (updated_at, id);

CREATE INDEX catalog_offering_bundle_offering ON public.catalog_offering_bundle USING btree (offering_id);

CREATE INDEX catalog_offering_category_category ON public.catalog_offering_category USING btree (category_id);

CREATE INDEX catalog_offering_channel_channel ON public.catalog_offering_channel USING btree (channel_id);

CREATE INDEX catalog_offering_name ON public.catalog_offering USING btree (name, id);

CREATE INDEX catalog_offering_place_place ON public.catalog_offering_place USING btree (place_id);

CREATE INDEX catalog_offering_price_price ON public.catalog_offering_price USING btree (price_id);

CREATE INDEX catalog_offering_relationship_offering ON public.catalog_offering_relationship USING btree (offering_id);

CREATE INDEX catalog_offering_segment_segment ON public.catalog_offering_segment USING btree (segment_id);

CREATE INDEX catalog_offering_specification ON public.catalog_offering USING btree (specification_id);

CREATE INDEX catalog_offering_status ON public.catalog_offering USING btree (status, id);

CREATE INDEX catalog_offering_updated ON public.catalog_offering USING btree (updated_at, id);

CREATE INDEX catalog_price_bundle_price ON public.catalog_price_bundle USING btree (price_id);

CREATE INDEX catalog_price_name ON public.catalog_price USING btree (name, id);

CREATE INDEX catalog_price_price_type ON public.catalog_price USING btree (price_type);

CREATE INDEX catalog_price_relationship_price ON public.catalog_price_relationship USING btree (price_id);

CREATE INDEX catalog_price_status ON public.catalog_price USING btree (status, id);

CREATE INDEX catalog_price_updated ON public.catalog_price USING btree (updated_at, id);

CREATE INDEX catalog_promotion_name ON public.catalog_promotion USING btree (name, id);

CREATE INDEX catalog_promotion_status ON public.catalog_promotion USING btree (status);

CREATE INDEX catalog_promotion_type ON public.catalog_promotion USING btree (promotion_type);

CREATE INDEX catalog_promotion_updated ON public.catalog_promotion USING btree (updated_at, id);

CREATE INDEX catalog_specification_bundle_specification ON public.catalog_specification_bundle USING btree (specification_id);

CREATE INDEX catalog_specification_characteristic_name ON public.catalog_specification_characteristic USING btree (name);

CREATE INDEX catalog_specification_name ON public.catalog_specification USING btree (name, id);

CREATE INDEX catalog_specification_party_party ON public.catalog_specification_party USING btree (party_id);

CREATE INDEX catalog_specification_product_number ON public.catalog_specification USING btree (product_number);

CREATE INDEX catalog_specification_relationship_specification ON public.catalog_specification_relationship USING btree (specification_id);

CREATE INDEX catalog_specification_status ON public.catalog_specification USING btree (status, id);

CREATE INDEX catalog_specification_updated ON public.catalog_specification USING btree (updated_at, id);

CREATE INDEX channels_delivery_customer ON public.channels_delivery USING btree (customer_id, happened_at);

CREATE INDEX channels_delivery_due ON public.channels_delivery USING btree (due_at) WHERE (state = ANY (ARRAY['queued'::text, 'sending'::text]));

CREATE INDEX channels_delivery_message ON public.channels_delivery USING btree (message_id);

CREATE INDEX channels_message_attachment_owner ON public.channels_message_attachment USING btree (owner_id);

CREATE INDEX channels_message_characteristic_name ON public.channels_message_characteristic USING btree (name);

CREATE INDEX channels_message_characteristic_owner ON public.channels_message_characteristic USING btree (owner_id);

CREATE INDEX channels_message_id ON public.channels_message USING btree (id);

CREATE INDEX channels_message_receiver_email ON public.channels_message_receiver USING btree (email);

CREATE INDEX channels_message_receiver_owner ON public.channels_message_receiver USING btree (owner_id);

CREATE INDEX channels_message_receiver_party ON public.channels_message_receiver USING btree (party_id);

CREATE INDEX channels_message_receiver_phone ON public.channels_message_receiver USING btree (phone);

CREATE INDEX channels_message_scheduled ON public.channels_message USING btree (scheduled_at);

CREATE INDEX channels_message_sent ON public.channels_message USING btree (sent_at);

CREATE INDEX channels_message_state ON public.channels_message USING btree (state);

CREATE INDEX channels_message_type ON public.channels_message USING btree (message_type);

CREATE INDEX customers_account_contact_medium_owner ON public.customers_account_contact_medium USING btree (owner_id);

CREATE INDEX customers_account_contact_owner ON public.customers_account_contact USING btree (owner_id);

CREATE INDEX customers_account_cycle ON public.customers_account USING btree (cycle_id) WHERE (cycle_id IS NOT NULL);

CREATE INDEX customers_account_financial ON public.customers_account USING btree (financial_id) WHERE (financial_id IS NOT NULL);

CREATE INDEX customers_account_format ON public.customers_account USING btree (format_id) WHERE (format_id IS NOT NULL);

CREATE INDEX customers_account_id ON public.customers_account USING btree (id);

CREATE INDEX customers_account_kind ON public.customers_account USING btree (kind, id);

CREATE INDEX customers_account_kind_name ON public.customers_account USING btree (kind, COALESCE(name, number), id);

CREATE INDEX customers_account_media_media ON public.customers_account_media USING btree (media_id);

CREATE INDEX customers_account_media_owner ON public.customers_account_media USING btree (owner_id);

CREATE INDEX customers_account_name ON public.customers_account USING btree (COALESCE(name, number), id);

CREATE INDEX customers_account_number ON public.customers_account USING btree (number);

CREATE INDEX customers_account_party_owner ON public.customers_account_party USING btree (owner_id);

CREATE INDEX customers_account_party_party ON public.customers_account_party USING btree (party_id);

CREATE INDEX customers_account_plan_owner ON public.customers_account_plan USING btree (owner_id);

CREATE INDEX customers_account_relation_account ON public.customers_account_relation USING btree (account_id);

CREATE INDEX customers_account_relation_owner ON public.customers_account_relation USING btree (owner_id);

CREATE INDEX customers_account_role_holder ON public.customers_account_role USING btree (holder_id, account_id);

CREATE INDEX customers_account_status ON public.customers_account USING btree (status, kind, id);

CREATE INDEX customers_account_tax_owner ON public.customers_account_tax USING btree (owner_id);

CREATE UNIQUE INDEX customers_attribute_key ON public.customers_attribute USING btree (key);

CREATE INDEX customers_bill_cycle_name ON public.customers_bill_cycle USING btree (name, id);

CREATE INDEX customers_bill_format_name ON public.customers_bill_format USING btree (name, id);

CREATE INDEX customers_bill_media_name ON public.customers_bill_media USING btree (name, id);

CREATE INDEX customers_charge_due ON public.customers_charge USING btree (due_on) WHERE ((kind = 'bill'::text) AND (paid_on IS NULL) AND (settled_on IS NULL) AND (overdue_on IS NULL));

CREATE INDEX customers_charge_issued ON public.customers_charge USING btree (issued_on) WHERE ((kind <> 'payment'::text) AND (issued_on IS NOT NULL));

CREATE INDEX customers_charge_number ON public.customers_charge USING btree (number) WHERE (number IS NOT NULL);

CREATE INDEX customers_charge_rate ON public.customers_charge USING btree (id) WHERE (kind <> 'payment'::text);

CREATE INDEX customers_charge_state ON public.customers_charge USING btree ((
CASE
    WHEN (kind = 'draft'::text) THEN 'new'::text
    WHEN (kind = 'disputed'::text) THEN 'onHold'::text
    WHEN (kind = ANY (ARRAY['cancelled'::text, 'written_off'::text])) THEN 'settled'::text
    WHEN ((paid_on IS NOT NULL) OR (COALESCE(settled, (0)::bigint) >= amount)) THEN 'settled'::text
    WHEN (COALESCE(settled, (0)::bigint) > 0) THEN 'partiallyPaid'::text
    ELSE 'sent'::text
END), id) WHERE (kind <> 'payment'::text);

CREATE INDEX customers_customer_link_to ON public.customers_customer_link USING btree (to_id);

CREATE INDEX customers_financial_account_id ON public.customers_financial_account USING btree (id);

CREATE INDEX customers_financial_account_name ON public.customers_financial_account USING btree (name, id);

CREATE INDEX customers_financial_account_state ON public.customers_financial_account USING btree (state, id);

CREATE INDEX customers_financial_balance_owner ON public.customers_financial_balance USING btree (owner_id);

CREATE INDEX customers_identifier_customer ON public.customers_identifier USING btree (customer_id);

CREATE INDEX customers_kept_decision_other ON public.customers_kept_decision USING btree (other_number);

CREATE INDEX customers_listing_band ON public.customers_listing USING btree (band, risk, customer_id);

CREATE INDEX customers_listing_charge ON public.customers_listing USING btree (monthly_charge, customer_id, tier);

CREATE INDEX customers_listing_kind ON public.customers_listing USING btree (kind, monthly_charge, customer_id);

CREATE INDEX customers_listing_left ON public.customers_listing USING btree (leave_reason, risk, customer_id) WHERE (leave_reason <> ''::text);

CREATE INDEX customers_listing_name ON public.customers_listing USING btree (sort_name, customer_id);

CREATE INDEX customers_listing_plan ON public.customers_listing USING btree (plan, monthly_charge, customer_id);

CREATE INDEX customers_listing_region ON public.customers_listing USING btree (region, customer_id);

CREATE INDEX customers_listing_risk ON public.customers_listing USING btree (risk, customer_id);

CREATE INDEX customers_listing_segment ON public.customers_listing USING btree (segment, monthly_charge, customer_id);

CREATE INDEX customers_listing_since ON public.customers_listing USING btree (since, customer_id);

CREATE INDEX customers_listing_state ON public.customers_listing USING btree (status, customer_id);

CREATE INDEX customers_listing_status ON public.customers_listing USING btree (status, risk, customer_id);

CREATE INDEX customers_listing_tier ON public.customers_listing USING btree (tier, value_score, customer_id);

CREATE INDEX customers_listing_value ON public.customers_listing USING btree (value_score, customer_id, kind);

CREATE INDEX customers_lone_party_name ON public.customers_lone_party USING btree (folded_name);

CREATE INDEX customers_match_pair_right ON public.customers_match_pair USING btree (right_id);

CREATE INDEX customers_match_pair_state ON public.customers_match_pair USING btree (state, bits, left_id, right_id);

CREATE INDEX customers_party_birth ON public.customers_party USING btree (birth_date) WHERE (birth_date IS NOT NULL);

CREATE INDEX customers_party_kind ON public.customers_party USING btree (kind, id);

CREATE INDEX customers_party_role_account_account ON public.customers_party_role_account USING btree (account_id);

CREATE INDEX customers_party_role_account_owner ON public.customers_party_role_account USING btree (owner_id);

CREATE INDEX customers_party_role_agreement_agreement ON public.customers_party_role_agreement USING btree (agreement_id);

CREATE INDEX customers_party_role_agreement_owner ON public.customers_party_role_agreement USING btree (owner_id);

CREATE INDEX customers_party_role_characteristic_owner ON public.customers_party_role_characteristic USING btree (owner_id);

CREATE INDEX customers_party_role_credit_owner ON public.customers_party_role_credit USING btree (owner_id);

CREATE INDEX customers_party_role_id ON public.customers_party_role USING btree (id);

CREATE INDEX customers_party_role_medium_owner ON public.customers_party_role_medium USING btree (owner_id);

CREATE INDEX customers_party_role_name ON public.customers_party_role USING btree (name, id);

CREATE INDEX customers_party_role_party_owner ON public.customers_party_role_party USING btree (owner_id);

CREATE INDEX customers_party_role_party_party ON public.customers_party_role_party USING btree (party_id);

CREATE INDEX customers_party_role_payment_owner ON public.customers_party_role_payment USING btree (owner_id);

CREATE INDEX customers_party_role_status ON public.customers_party_role USING btree (status, id);

CREATE INDEX customers_record_key_customer ON public.customers_record_key USING btree (customer_id);

CREATE INDEX customers_search_number_tokens ON public.customers_search_number USING gin (((tokens)::tsvector));

CREATE INDEX customers_search_text_tokens ON public.customers_search_text USING gin (((tokens)::tsvector));

CREATE INDEX customers_subscription_ended ON public.customers_subscription USING btree (msisdn) WHERE (status = 'terminated'::text);

CREATE INDEX customers_subscription_ended_on ON public.customers_subscription USING btree (ended_on) WHERE (status = 'terminated'::text);

CREATE INDEX customers_subscription_id ON public.customers_subscription USING btree (id);

CREATE INDEX customers_subscription_started ON public.customers_subscription USING btree (started_on);

CREATE INDEX customers_subscription_status ON public.customers_subscription USING btree ((
CASE status
    WHEN 'pending'::text THEN 'pendingActive'::text
    ELSE status
END), id);

CREATE INDEX customers_subscription_title ON public.customers_subscription USING btree (COALESCE(plan, service), id);

CREATE INDEX identity_bootstrap_user ON public.identity_bootstrap USING btree (user_id);

CREATE UNIQUE INDEX identity_client_name ON public.identity_client USING btree (folded_name);

CREATE INDEX identity_session_expiry ON public.identity_session USING btree (expires_at);

CREATE INDEX identity_session_user ON public.identity_session USING btree (user_id, id);

CREATE INDEX identity_throttle_age ON public.identity_throttle USING btree (failed_at);

CREATE INDEX identity_token_user ON public.identity_token USING btree (user_id, id);

CREATE INDEX identity_user_listing ON public.identity_user USING btree (folded_name, id);

CREATE INDEX ingest_intake_file_source ON public.ingest_intake_file USING btree (source, id);

CREATE INDEX ingest_intake_file_state ON public.ingest_intake_file USING btree (state, id);

CREATE UNIQUE INDEX ingest_intake_file_taking ON public.ingest_intake_file USING btree (source, name) WHERE (state = 'taking'::text);

CREATE INDEX ingest_mapping_name ON public.ingest_mapping USING btree (entity, name, updated_at);

CREATE INDEX ingest_quarantine_key ON public.ingest_quarantine USING btree (key_hash, state);

CREATE INDEX ingest_quarantine_replay ON public.ingest_quarantine USING btree (replay_run_id, replay_record);

CREATE INDEX ingest_quarantine_run ON public.ingest_quarantine USING btree (run_id, record);

CREATE INDEX ingest_quarantine_state ON public.ingest_quarantine USING btree (state, source, id);

CREATE INDEX ingest_run_source ON public.ingest_run USING btree (source, id);

CREATE UNIQUE INDEX ingest_source_key ON public.ingest_source USING btree (key);

CREATE INDEX insights_churn_score_band ON public.insights_churn_score USING btree (band, priority, customer_id) WHERE listed;

CREATE INDEX insights_churn_score_priority ON public.insights_churn_score USING btree (priority, customer_id) WHERE listed;

CREATE INDEX insights_churn_score_region ON public.insights_churn_score USING btree (region, priority, customer_id) WHERE listed;

CREATE INDEX insights_contact_plan_week ON public.insights_contact_plan USING btree (week, state);

CREATE INDEX insights_model_job ON public.insights_model USING btree (job_id);

CREATE UNIQUE INDEX insights_model_version ON public.insights_model USING btree (version);

CREATE INDEX insights_recommendation_from ON public.insights_recommendation USING btree (valid_from);

CREATE INDEX insights_recommendation_id ON public.insights_recommendation USING btree (id);

CREATE INDEX insights_recommendation_item_owner ON public.insights_recommendation_item USING btree (owner_id);

CREATE INDEX insights_recommendation_name ON public.insights_recommendation USING btree (name);

CREATE INDEX insights_recommendation_party ON public.insights_recommendation USING btree (party_id);

CREATE INDEX insights_recommendation_state ON public.insights_recommendation USING btree (state);

CREATE INDEX insights_scoring_run_model ON public.insights_scoring_run USING btree (model_id, id);

CREATE INDEX orders_agreement_agreement_type ON public.orders_agreement USING btree (agreement_type, id);

CREATE INDEX orders_agreement_characteristic_name ON public.orders_agreement_characteristic USING btree (name);

CREATE INDEX orders_agreement_characteristic_owner ON public.orders_agreement_characteristic USING btree (owner_id);

CREATE INDEX orders_agreement_document_number ON public.orders_agreement USING btree (document_number);

CREATE INDEX orders_agreement_id ON public.orders_agreement USING btree (id);

CREATE INDEX orders_agreement_item_owner ON public.orders_agreement_item USING btree (owner_id);

CREATE INDEX orders_agreement_name ON public.orders_agreement USING btree (name, id);

CREATE INDEX orders_agreement_offering_offering ON public.orders_agreement_offering USING btree (offering_id);

CREATE INDEX orders_agreement_offering_owner ON public.orders_agreement_offering USING btree (owner_id);

CREATE INDEX orders_agreement_party_owner ON public.orders_agreement_party USING btree (owner_id);

CREATE INDEX orders_agreement_party_party ON public.orders_agreement_party USING btree (party_id);

CREATE INDEX orders_agreement_product_owner ON public.orders_agreement_product USING btree (owner_id);

CREATE INDEX orders_agreement_product_product ON public.orders_agreement_product USING btree (product_id);

CREATE INDEX orders_agreement_spec_name ON public.orders_agreement_spec USING btree (name, id);

CREATE INDEX orders_agreement_spec_status ON public.orders_agreement_spec USING btree (status);

CREATE INDEX orders_agreement_spec_updated ON public.orders_agreement_spec USING btree (updated_at, id);

CREATE INDEX orders_agreement_specified ON public.orders_agreement USING btree (specification_id);

CREATE INDEX orders_agreement_status ON public.orders_agreement USING btree (status);

CREATE INDEX orders_agreement_term_owner ON public.orders_agreement_term USING btree (owner_id);

CREATE INDEX orders_cancellation_created ON public.orders_cancellation USING btree (created_at, id);

CREATE INDEX orders_cancellation_id ON public.orders_cancellation USING btree (id);

CREATE INDEX orders_cancellation_order ON public.orders_cancellation USING btree (order_id);

CREATE INDEX orders_cancellation_state ON public.orders_cancellation USING btree (state, id);

CREATE INDEX orders_item_characteristic_owner ON public.orders_item_characteristic USING btree (owner_id);

CREATE INDEX orders_item_offering ON public.orders_item USING btree (offering_id);

CREATE INDEX orders_item_owner ON public.orders_item USING btree (owner_id);

CREATE INDEX orders_item_product ON public.orders_item USING btree (product_id);

CREATE INDEX orders_item_state ON public.orders_item USING btree (state);

CREATE INDEX orders_order_billing_account ON public.orders_order USING btree (billing_account_id);

CREATE INDEX orders_order_channel_channel ON public.orders_order_channel USING btree (channel_id);

CREATE INDEX orders_order_channel_owner ON public.orders_order_channel USING btree (owner_id);

CREATE INDEX orders_order_external ON public.orders_order USING btree (external_id);

CREATE INDEX orders_order_id ON public.orders_order USING btree (id);

CREATE INDEX orders_order_note_owner ON public.orders_order_note USING btree (owner_id);

CREATE INDEX orders_order_ordered ON public.orders_order USING btree (ordered_at, id);

CREATE INDEX orders_order_party_owner ON public.orders_order_party USING btree (owner_id);

CREATE INDEX orders_order_party_party ON public.orders_order_party USING btree (party_id);

CREATE INDEX orders_order_quote_owner ON public.orders_order_quote USING btree (owner_id);

CREATE INDEX orders_order_quote_quote ON public.orders_order_quote USING btree (quote_id);

CREATE INDEX orders_order_state ON public.orders_order USING btree (state, id);

CREATE INDEX orders_product_billing_account ON public.orders_product USING btree (billing_account_id);

CREATE INDEX orders_product_characteristic_name ON public.orders_product_characteristic USING btree (name);

CREATE INDEX orders_product_characteristic_owner ON public.orders_product_characteristic USING btree (owner_id);

CREATE INDEX orders_product_id ON public.orders_product USING btree (id);

CREATE INDEX orders_product_name ON public.orders_product USING btree (name);

CREATE INDEX orders_product_offering ON public.orders_product USING btree (offering_id);

CREATE INDEX orders_product_origin_order ON public.orders_product_origin USING btree (order_id);

CREATE INDEX orders_product_origin_owner ON public.orders_product_origin USING btree (owner_id);

CREATE INDEX orders_product_party_owner ON public.orders_product_party USING btree (owner_id);

CREATE INDEX orders_product_party_party ON public.orders_product_party USING btree (party_id);

CREATE INDEX orders_product_price_owner ON public.orders_product_price USING btree (owner_id);

CREATE INDEX orders_product_relation_owner ON public.orders_product_relation USING btree (owner_id);

CREATE INDEX orders_product_relation_product ON public.orders_product_relation USING btree (product_id);

CREATE INDEX orders_product_resource_owner ON public.orders_product_resource USING btree (owner_id);

CREATE INDEX orders_product_resource_resource ON public.orders_product_resource USING btree (resource_id);

CREATE INDEX orders_product_resource_value ON public.orders_product_resource USING btree (value);

CREATE INDEX orders_product_serial_number ON public.orders_product USING btree (serial_number);

CREATE INDEX orders_product_service_owner ON public.orders_product_service USING btree (owner_id);

CREATE INDEX orders_product_service_service ON public.orders_product_service USING btree (service_id);

CREATE INDEX orders_product_specification ON public.orders_product USING btree (specification_id);

CREATE INDEX orders_product_started ON public.orders_product USING btree (started_at);

CREATE INDEX orders_product_status ON public.orders_product USING btree (status, id);

CREATE INDEX orders_product_terminated ON public.orders_product USING btree (terminated_at) WHERE (terminated_at IS NOT NULL);

CREATE INDEX orders_quote_approval_owner ON public.orders_quote_approval USING btree (owner_id);

CREATE INDEX orders_quote_external ON public.orders_quote USING btree (external_id);

CREATE INDEX orders_quote_id ON public.orders_quote USING btree (id);

CREATE INDEX orders_quote_item_offering ON public.orders_quote_item USING btree (offering_id);

CREATE INDEX orders_quote_item_owner ON public.orders_quote_item USING btree (owner_id);

CREATE INDEX orders_quote_item_price_owner ON public.orders_quote_item_price USING btree (owner_id);

CREATE INDEX orders_quote_note_owner ON public.orders_quote_note USING btree (owner_id);

CREATE INDEX orders_quote_party_owner ON public.orders_quote_party USING btree (owner_id);

CREATE INDEX orders_quote_party_party ON public.orders_quote_party USING btree (party_id);

CREATE INDEX orders_quote_quoted ON public.orders_quote USING btree (quoted_at, id);

CREATE INDEX orders_quote_state ON public.orders_quote USING btree (state, id);

CREATE INDEX orders_quote_total_owner ON public.orders_quote_total USING btree (owner_id);

CREATE INDEX platform_audit_event_action ON ONLY public.platform_audit_event USING btree (action, id);

CREATE INDEX platform_audit_event_actor ON ONLY public.platform_audit_event USING btree (actor_id, id);

CREATE INDEX platform_audit_event_default_action ON public.platform_audit_event_default USING btree (action, id);

CREATE INDEX platform_audit_event_default_actor ON public.platform_audit_event_default USING btree (actor_id, id);

CREATE INDEX platform_audit_subject_event ON ONLY public.platform_audit_subject USING btree (event_id);

CREATE INDEX platform_audit_subject_default_event ON public.platform_audit_subject_default USING btree (event_id);

CREATE INDEX platform_blob_unfinished ON public.platform_blob USING btree (created_at) WHERE (NOT finished);

CREATE INDEX platform_request_expiry ON public.platform_request USING btree (expires_at);

CREATE INDEX privacy_agreement_authorization_owner ON public.privacy_agreement_authorization USING btree (owner_id);

CREATE INDEX privacy_agreement_id ON public.privacy_agreement USING btree (id);

CREATE INDEX privacy_agreement_item_owner ON public.privacy_agreement_item USING btree (owner_id);

CREATE INDEX privacy_agreement_number ON public.privacy_agreement USING btree (document_number);

CREATE INDEX privacy_agreement_party_owner ON public.privacy_agreement_party USING btree (owner_id);

CREATE INDEX privacy_agreement_party_party ON public.privacy_agreement_party USING btree (party_id);

CREATE INDEX privacy_agreement_profile_owner ON public.privacy_agreement_profile USING btree (owner_id);

CREATE INDEX privacy_agreement_profile_profile ON public.privacy_agreement_profile USING btree (profile_id);

CREATE INDEX privacy_agreement_status ON public.privacy_agreement USING btree (status);

CREATE INDEX privacy_agreement_term_owner ON public.privacy_agreement_term USING btree (owner_id);

CREATE INDEX privacy_agreement_type ON public.privacy_agreement USING btree (agreement_type);

CREATE INDEX privacy_consent_evidence_profile ON public.privacy_consent_evidence USING btree (profile_id);

CREATE INDEX privacy_consent_profile ON public.privacy_consent USING btree (profile_id);

CREATE INDEX privacy_profile_agreed ON public.privacy_profile USING btree (agreed_id);

CREATE INDEX privacy_profile_agreement ON public.privacy_profile USING btree (agreement_id);

CREATE INDEX privacy_profile_applies ON public.privacy_profile USING btree (applies_id);

CREATE INDEX privacy_profile_characteristic_name ON public.privacy_profile_characteristic USING btree (name);

CREATE INDEX privacy_profile_characteristic_owner ON public.privacy_profile_characteristic USING btree (owner_id);

CREATE INDEX privacy_profile_characteristic_purpose ON public.privacy_profile_characteristic USING btree (purpose);

CREATE INDEX privacy_profile_created ON public.privacy_profile USING btree (created_at);

CREATE INDEX privacy_profile_id ON public.privacy_profile USING btree (id);

CREATE INDEX privacy_profile_specification ON public.privacy_profile USING btree (specification_id);

CREATE INDEX privacy_profile_status ON public.privacy_profile USING btree (status);

CREATE INDEX privacy_specification_characteristic_purpose ON public.privacy_specification_characteristic USING btree (purpose);

CREATE INDEX privacy_specification_name ON public.privacy_specification USING btree (name);

CREATE INDEX privacy_specification_offering_offering ON public.privacy_specification_offering USING btree (offering_id);

CREATE INDEX privacy_specification_party_party ON public.privacy_specification_party USING btree (party_id);

CREATE INDEX privacy_specification_status ON public.privacy_specification USING btree (status);

CREATE INDEX privacy_specification_updated ON public.privacy_specification USING btree (updated_at);

CREATE INDEX profiles_bucket_day ON public.profiles_bucket USING btree (day);

CREATE UNIQUE INDEX profiles_counter_name ON public.profiles_counter USING btree (name);

CREATE INDEX profiles_seen_arrival ON public.profiles_seen USING btree (arrived_day);

CREATE UNIQUE INDEX profiles_source_name ON public.profiles_source USING btree (name);

CREATE INDEX profiles_told_arrival ON public.profiles_told USING btree (arrived_at);

CREATE INDEX profiles_waiting_arrival ON public.profiles_waiting USING btree (arrived_at);

CREATE INDEX profiles_waiting_name ON public.profiles_waiting USING btree (naming, customer_name);

CREATE INDEX sales_lead_campaign ON public.sales_lead USING btree (campaign_id);

CREATE INDEX sales_lead_category ON public.sales_lead USING btree (category_id);

CREATE INDEX sales_lead_channel ON public.sales_lead USING btree (channel_id);

CREATE INDEX sales_lead_contact_email ON public.sales_lead_contact USING btree (email);

CREATE INDEX sales_lead_contact_owner ON public.sales_lead_contact USING btree (owner_id);

CREATE INDEX sales_lead_contact_phone ON public.sales_lead_contact USING btree (phone);

CREATE INDEX sales_lead_created ON public.sales_lead USING btree (created_at);

CREATE INDEX sales_lead_id ON public.sales_lead USING btree (id);

CREATE INDEX sales_lead_name ON public.sales_lead USING btree (name);

CREATE INDEX sales_lead_note_owner ON public.sales_lead_note USING btree (owner_id);

CREATE INDEX sales_lead_offering ON public.sales_lead USING btree (offering_id);

CREATE INDEX sales_lead_opportunity ON public.sales_lead USING btree (opportunity_id);

CREATE INDEX sales_lead_party_owner ON public.sales_lead_party USING btree (owner_id);

CREATE INDEX sales_lead_party_party ON public.sales_lead_party USING btree (party_id);

CREATE INDEX sales_lead_priority ON public.sales_lead USING btree (priority);

CREATE INDEX sales_lead_rating ON public.sales_lead USING btree (rating);

CREATE INDEX sales_lead_status ON public.sales_lead USING btree (status);

CREATE INDEX sales_lead_status_changed ON public.sales_lead USING btree (status_changed_at);

CREATE INDEX servicedesk_appointment_category ON public.servicedesk_appointment USING btree (category);

CREATE INDEX servicedesk_appointment_contact_owner ON public.servicedesk_appointment_contact USING btree (owner_id);

CREATE INDEX servicedesk_appointment_created ON public.servicedesk_appointment USING btree (created_at);

CREATE INDEX servicedesk_appointment_entity_entity ON public.servicedesk_appointment_entity USING btree (entity_id);

CREATE INDEX servicedesk_appointment_entity_owner ON public.servicedesk_appointment_entity USING btree (owner_id);

CREATE INDEX servicedesk_appointment_external ON public.servicedesk_appointment USING btree (external_id);

CREATE INDEX servicedesk_appointment_id ON public.servicedesk_appointment USING btree (id);

CREATE INDEX servicedesk_appointment_note_owner ON public.servicedesk_appointment_note USING btree (owner_id);

CREATE INDEX servicedesk_appointment_party_owner ON public.servicedesk_appointment_party USING btree (owner_id);

CREATE INDEX servicedesk_appointment_party_party ON public.servicedesk_appointment_party USING btree (party_id);

CREATE INDEX servicedesk_appointment_place ON public.servicedesk_appointment USING btree (place_id);

CREATE INDEX servicedesk_appointment_starts ON public.servicedesk_appointment USING btree (starts_at);

CREATE INDEX servicedesk_appointment_status ON public.servicedesk_appointment USING btree (status, id);

CREATE INDEX servicedesk_appointment_updated ON public.servicedesk_appointment USING btree (updated_at);

CREATE INDEX servicedesk_case_entity_entity ON public.servicedesk_case_entity USING btree (entity_id);

CREATE INDEX servicedesk_case_entity_owner ON public.servicedesk_case_entity USING btree (owner_id);

CREATE INDEX servicedesk_case_id ON public.servicedesk_case USING btree (id);

CREATE INDEX servicedesk_case_newest ON public.servicedesk_case USING btree (status, opened_at, id);

CREATE INDEX servicedesk_case_note_owner ON public.servicedesk_case_note USING btree (owner_id);

CREATE INDEX servicedesk_case_number_text ON public.servicedesk_case USING btree (number);

CREATE INDEX servicedesk_case_opened ON public.servicedesk_case USING btree (opened_at, id);

CREATE INDEX servicedesk_case_party_owner ON public.servicedesk_case_party USING btree (owner_id);

CREATE INDEX servicedesk_case_party_party ON public.servicedesk_case_party USING btree (party_id);

CREATE INDEX servicedesk_case_status ON public.servicedesk_case USING btree (status, id);

CREATE INDEX servicedesk_case_step_owner ON public.servicedesk_case_step USING btree (owner_id);

CREATE INDEX servicedesk_case_text_id ON public.servicedesk_case_text USING btree (id);

CREATE INDEX servicedesk_case_text_tokens ON public.servicedesk_case_text USING gin (((tokens)::tsvector));

CREATE INDEX servicedesk_case_updated ON public.servicedesk_case USING btree (updated_at);

CREATE INDEX servicedesk_interaction_created ON ONLY public.servicedesk_interaction USING btree (COALESCE(created_at, happened_at));

CREATE INDEX servicedesk_interaction_default_coalesce_idx ON public.servicedesk_interaction_default USING btree (COALESCE(created_at, happened_at));

CREATE INDEX servicedesk_interaction_happened ON ONLY public.servicedesk_interaction USING btree (happened_at);

CREATE INDEX servicedesk_interaction_default_happened_at_idx ON public.servicedesk_interaction_default USING btree (happened_at);

CREATE INDEX servicedesk_interaction_id ON ONLY public.servicedesk_interaction USING btree (id);

CREATE INDEX servicedesk_interaction_default_id_idx ON public.servicedesk_interaction_default USING btree (id);

CREATE INDEX servicedesk_interaction_note_owner ON public.servicedesk_interaction_note USING btree (owner_id);

CREATE INDEX servicedesk_interaction_party_owner ON public.servicedesk_interaction_party USING btree (owner_id);

CREATE INDEX servicedesk_interaction_party_party ON public.servicedesk_interaction_party USING btree (party_id);

CREATE INDEX servicedesk_record_key_customer ON public.servicedesk_record_key USING btree (customer_id);

CREATE INDEX servicedesk_slot_asked_owner ON public.servicedesk_slot_asked USING btree (owner_id);

CREATE INDEX servicedesk_slot_free_owner ON public.servicedesk_slot_free USING btree (owner_id);

CREATE INDEX servicedesk_slot_search_id ON public.servicedesk_slot_search USING btree (id);

CREATE INDEX servicedesk_slot_search_party ON public.servicedesk_slot_search USING btree (party_id);

CREATE INDEX servicedesk_slot_search_place ON public.servicedesk_slot_search USING btree (place_id);

CREATE INDEX servicedesk_slot_search_searched ON public.servicedesk_slot_search USING btree (searched_at);

CREATE INDEX storage_job_due ON public.storage_job USING btree (run_at, id) WHERE ((status = 'queued'::text) OR (status = 'running'::text));

CREATE INDEX storage_job_failed ON public.storage_job USING btree (id) WHERE (status = 'failed'::text);

CREATE INDEX storage_job_recent ON public.storage_job USING btree (kind, id);

CREATE INDEX storage_outbox_event_due ON ONLY public.storage_outbox_event USING btree (next_attempt_at, id) WHERE (status = 'pending'::text);

CREATE INDEX storage_outbox_event_default_due ON public.storage_outbox_event_default USING btree (next_attempt_at, id) WHERE (status = 'pending'::text);

CREATE INDEX storage_outbox_event_parked ON ONLY public.storage_outbox_event USING btree (id) WHERE (status = 'parked'::text);

CREATE INDEX storage_outbox_event_default_parked ON public.storage_outbox_event_default USING btree (id) WHERE (status = 'parked'::text);

CREATE INDEX tmf_hub_api ON public.tmf_hub USING btree (api);

CREATE INDEX tmf_hub_delivery_lane ON public.tmf_hub_delivery USING btree (subscription_id, state, id);

CREATE INDEX tmf_hub_delivery_log ON public.tmf_hub_delivery USING btree (subscription_id, id);

CREATE INDEX tmf_hub_delivery_open ON public.tmf_hub_delivery USING btree (resource_id, subscription_id) WHERE (state = ANY (ARRAY['waiting'::text, 'dead'::text]));

CREATE INDEX tmf_hub_delivery_state ON public.tmf_hub_delivery USING btree (state, id);

CREATE INDEX tmf_hub_due ON public.tmf_hub USING btree (due_at);

CREATE INDEX tmf_hub_last_named_of ON public.tmf_hub_last_named USING btree (subscription_id, resource, resource_id);

CREATE INDEX tmf_hub_last_until ON public.tmf_hub_last USING btree (keep_until);

CREATE UNIQUE INDEX tmf_hub_same ON public.tmf_hub USING btree (same);

CREATE INDEX tmf_hub_seen_named_of ON public.tmf_hub_seen_named USING btree (event_id, subscription_id, resource, resource_id);

CREATE INDEX tmf_hub_seen_named_subscription ON public.tmf_hub_seen_named USING btree (subscription_id);

CREATE INDEX tmf_hub_seen_subscription ON public.tmf_hub_seen USING btree (subscription_id);

CREATE INDEX tmf_hub_seen_until ON public.tmf_hub_seen USING btree (keep_until);

CREATE INDEX tmf_kept_value_id ON public.tmf_kept_value USING btree (resource, id);

CREATE INDEX usage_consumption_asked ON public.usage_consumption USING btree (asked_at);

CREATE INDEX usage_consumption_bucket_owner ON public.usage_consumption_bucket USING btree (owner_id);

CREATE INDEX usage_consumption_id ON public.usage_consumption USING btree (id);

CREATE INDEX usage_consumption_party_owner ON public.usage_consumption_party USING btree (owner_id);

CREATE INDEX usage_consumption_party_party ON public.usage_consumption_party USING btree (party_id);

CREATE INDEX usage_record_characteristic_owner ON ONLY public.usage_record_characteristic USING btree (owner_id);

CREATE INDEX usage_record_characteristic_default_owner_id_idx ON public.usage_record_characteristic_default USING btree (owner_id);

CREATE INDEX usage_record_external ON ONLY public.usage_record USING btree (external_id);

CREATE INDEX usage_record_default_external_id_idx ON public.usage_record_default USING btree (external_id);

CREATE INDEX usage_record_id ON ONLY public.usage_record USING btree (id);

CREATE INDEX usage_record_default_id_idx ON public.usage_record_default USING btree (id);

CREATE INDEX usage_record_specification ON ONLY public.usage_record USING btree (specification_id);

CREATE INDEX usage_record_default_specification_id_idx ON public.usage_record_default USING btree (specification_id);

CREATE INDEX usage_record_status ON ONLY public.usage_record USING btree (status);

CREATE INDEX usage_record_default_status_idx ON public.usage_record_default USING btree (status);

CREATE INDEX usage_record_used ON ONLY public.usage_record USING btree (used_at);

CREATE INDEX usage_record_default_used_at_idx ON public.usage_record_default USING btree (used_at);

CREATE INDEX usage_record_party_owner ON ONLY public.usage_record_party USING btree (owner_id);

CREATE INDEX usage_record_party_default_owner_id_idx ON public.usage_record_party_default USING btree (owner_id);

CREATE INDEX usage_record_party_party ON ONLY public.usage_record_party USING btree (party_id);

CREATE INDEX usage_record_party_default_party_id_idx ON public.usage_record_party_default USING btree (party_id);

CREATE INDEX usage_record_rating_owner ON ONLY public.usage_record_rating USING btree (owner_id);

CREATE INDEX usage_record_rating_default_owner_id_idx ON public.usage_record_rating_default USING btree (owner_id);

CREATE INDEX usage_record_rating_product ON ONLY public.usage_record_rating USING btree (product_id);

CREATE INDEX usage_record_rating_default_product_id_idx ON public.usage_record_rating_default USING btree (product_id);

CREATE INDEX usage_run_file ON public.usage_run USING btree (source_id, digest);

CREATE UNIQUE INDEX usage_source_name ON public.usage_source USING btree (name);

CREATE INDEX usage_specification_changed ON public.usage_specification USING btree (changed_at);

CREATE INDEX usage_specification_name ON public.usage_specification USING btree (name);

CREATE INDEX usage_specification_status ON public.usage_specification USING btree (lifecycle_status);

CREATE INDEX usage_unmatched_arrival ON public.usage_unmatched USING btree (arrived_at);

CREATE INDEX usage_unmatched_line ON public.usage_unmatched USING btree (naming, line);

CREATE INDEX usage_waiting_most ON public.usage_waiting USING btree (events, source_id, naming, line);

ALTER INDEX public.customers_usage_month_pkey ATTACH PARTITION public.customers_usage_month_default_pkey;

ALTER INDEX public.insights_score_history_pkey ATTACH PARTITION public.insights_score_history_default_pkey;

ALTER INDEX public.platform_audit_event_action ATTACH PARTITION public.platform_audit_event_default_action;

ALTER INDEX public.platform_audit_event_actor ATTACH PARTITION public.platform_audit_event_default_actor;

ALTER INDEX public.platform_audit_event_pkey ATTACH PARTITION public.platform_audit_event_default_pkey;

ALTER INDEX public.platform_audit_subject_event ATTACH PARTITION public.platform_audit_subject_default_event;

ALTER INDEX public.platform_audit_subject_pkey ATTACH PARTITION public.platform_audit_subject_default_pkey;

ALTER INDEX public.servicedesk_interaction_created ATTACH PARTITION public.servicedesk_interaction_default_coalesce_idx;

ALTER INDEX public.servicedesk_interaction_happened ATTACH PARTITION public.servicedesk_interaction_default_happened_at_idx;

ALTER INDEX public.servicedesk_interaction_id ATTACH PARTITION public.servicedesk_interaction_default_id_idx;

ALTER INDEX public.servicedesk_interaction_pkey ATTACH PARTITION public.servicedesk_interaction_default_pkey;

ALTER INDEX public.storage_outbox_event_due ATTACH PARTITION public.storage_outbox_event_default_due;

ALTER INDEX public.storage_outbox_event_parked ATTACH PARTITION public.storage_outbox_event_default_parked;

ALTER INDEX public.storage_outbox_event_pkey ATTACH PARTITION public.storage_outbox_event_default_pkey;

ALTER INDEX public.storage_outbox_receipt_pkey ATTACH PARTITION public.storage_outbox_receipt_default_pkey;

ALTER INDEX public.usage_day_pkey ATTACH PARTITION public.usage_day_default_pkey;

ALTER INDEX public.usage_record_characteristic_owner ATTACH PARTITION public.usage_record_characteristic_default_owner_id_idx;

ALTER INDEX public.usage_record_characteristic_pkey ATTACH PARTITION public.usage_record_characteristic_default_pkey;

ALTER INDEX public.usage_record_external ATTACH PARTITION public.usage_record_default_external_id_idx;

ALTER INDEX public.usage_record_id ATTACH PARTITION public.usage_record_default_id_idx;

ALTER INDEX public.usage_record_pkey ATTACH PARTITION public.usage_record_default_pkey;

ALTER INDEX public.usage_record_specification ATTACH PARTITION public.usage_record_default_specification_id_idx;

ALTER INDEX public.usage_record_status ATTACH PARTITION public.usage_record_default_status_idx;

ALTER INDEX public.usage_record_used ATTACH PARTITION public.usage_record_default_used_at_idx;

ALTER INDEX public.usage_record_party_owner ATTACH PARTITION public.usage_record_party_default_owner_id_idx;

ALTER INDEX public.usage_record_party_party ATTACH PARTITION public.usage_record_party_default_party_id_idx;

ALTER INDEX public.usage_record_party_pkey ATTACH PARTITION public.usage_record_party_default_pkey;

ALTER INDEX public.usage_record_rating_owner ATTACH PARTITION public.usage_record_rating_default_owner_id_idx;

ALTER INDEX public.usage_record_rating_pkey ATTACH PARTITION public.usage_record_rating_default_pkey;

ALTER INDEX public.usage_record_rating_product ATTACH PARTITION public.usage_record_rating_default_product_id_idx;
