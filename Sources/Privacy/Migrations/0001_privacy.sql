-- The texts that are agreed to (TMF644 partyPrivacyProfileSpecification). Few of them.
CREATE TABLE privacy_specification (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT,
  description TEXT,
  status TEXT NOT NULL,
  version TEXT,
  updated_at BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT
);

CREATE INDEX privacy_specification_name ON privacy_specification (name);

CREATE INDEX privacy_specification_status ON privacy_specification (status);

CREATE INDEX privacy_specification_updated ON privacy_specification (updated_at);

CREATE TABLE privacy_specification_characteristic (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  description TEXT,
  criticality TEXT,
  privacy_type TEXT,
  purpose TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX privacy_specification_characteristic_purpose ON privacy_specification_characteristic (purpose);

CREATE TABLE privacy_specification_value (
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  value TEXT,
  value_type TEXT,
  is_default BOOLEAN,
  PRIMARY KEY (owner_id, item, place)
);

CREATE TABLE privacy_specification_party (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX privacy_specification_party_party ON privacy_specification_party (party_id);

CREATE TABLE privacy_specification_offering (
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  offering_id TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (owner_id, place)
);

CREATE INDEX privacy_specification_offering_offering ON privacy_specification_offering (offering_id);

-- What somebody agreed to (TMF644 partyPrivacyProfile). customer_id: whom it applies to, 0 = nobody of ours.
CREATE TABLE privacy_profile (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  name TEXT,
  description TEXT,
  status TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  agreed_id TEXT,
  agreed_role TEXT,
  agreed_name TEXT,
  agreed_type TEXT,
  applies_id TEXT,
  applies_role TEXT,
  applies_name TEXT,
  applies_type TEXT,
  agreement_id TEXT,
  agreement_name TEXT,
  specification_id TEXT,
  specification_name TEXT,
  collected_on TEXT,
  notice_version TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX privacy_profile_id ON privacy_profile (id);

CREATE INDEX privacy_profile_status ON privacy_profile (status);

CREATE INDEX privacy_profile_created ON privacy_profile (created_at);

CREATE INDEX privacy_profile_agreed ON privacy_profile (agreed_id);

CREATE INDEX privacy_profile_applies ON privacy_profile (applies_id);

CREATE INDEX privacy_profile_specification ON privacy_profile (specification_id);

CREATE INDEX privacy_profile_agreement ON privacy_profile (agreement_id);

CREATE TABLE privacy_profile_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  purpose TEXT,
  value_type TEXT,
  value TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX privacy_profile_characteristic_owner ON privacy_profile_characteristic (owner_id);

CREATE INDEX privacy_profile_characteristic_name ON privacy_profile_characteristic (name);

CREATE INDEX privacy_profile_characteristic_purpose ON privacy_profile_characteristic (purpose);

-- What holds now: the last word of each customer about a purpose and a topic. decision: given, refused, withdrawn.
CREATE TABLE privacy_consent (
  customer_id BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  topic TEXT NOT NULL,
  decision TEXT NOT NULL,
  since BIGINT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  profile_id BIGINT NOT NULL,
  PRIMARY KEY (customer_id, purpose, topic)
);

CREATE INDEX privacy_consent_profile ON privacy_consent (profile_id);

-- Every word ever said, in order: only added to, never changed or removed. Ids and codes, no name and no address of a customer.
CREATE TABLE privacy_consent_evidence (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  topic TEXT NOT NULL,
  decision TEXT NOT NULL,
  step TEXT NOT NULL,
  valid_from BIGINT,
  valid_until BIGINT,
  profile_id BIGINT NOT NULL,
  agreed_party TEXT,
  collected_on TEXT,
  specification_id TEXT,
  notice_version TEXT,
  notice_hash TEXT,
  actor_id BIGINT,
  actor_name TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX privacy_consent_evidence_profile ON privacy_consent_evidence (profile_id);

-- The contract behind profiles (TMF644 partyPrivacyAgreement).
CREATE TABLE privacy_agreement (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  agreement_type TEXT,
  name TEXT,
  description TEXT,
  document_number BIGINT,
  initial_at BIGINT,
  statement TEXT,
  status TEXT NOT NULL,
  version TEXT,
  period_from BIGINT,
  period_until BIGINT,
  completed_from BIGINT,
  completed_until BIGINT,
  specification_id TEXT,
  specification_name TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX privacy_agreement_id ON privacy_agreement (id);

CREATE INDEX privacy_agreement_status ON privacy_agreement (status);

CREATE INDEX privacy_agreement_type ON privacy_agreement (agreement_type);

CREATE INDEX privacy_agreement_number ON privacy_agreement (document_number);

CREATE TABLE privacy_agreement_party (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  party_id TEXT,
  role TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX privacy_agreement_party_owner ON privacy_agreement_party (owner_id);

CREATE INDEX privacy_agreement_party_party ON privacy_agreement_party (party_id);

CREATE TABLE privacy_agreement_profile (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  profile_id TEXT,
  name TEXT,
  referred_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX privacy_agreement_profile_owner ON privacy_agreement_profile (owner_id);

CREATE INDEX privacy_agreement_profile_profile ON privacy_agreement_profile (profile_id);

CREATE TABLE privacy_agreement_item (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  item_id TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX privacy_agreement_item_owner ON privacy_agreement_item (owner_id);

CREATE TABLE privacy_agreement_term (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  item BIGINT NOT NULL,
  place BIGINT NOT NULL,
  term_id TEXT,
  description TEXT,
  valid_from BIGINT,
  valid_until BIGINT,
  PRIMARY KEY (customer_id, owner_id, item, place)
);

CREATE INDEX privacy_agreement_term_owner ON privacy_agreement_term (owner_id);

CREATE TABLE privacy_agreement_authorization (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  signed_at BIGINT,
  signature TEXT,
  state TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX privacy_agreement_authorization_owner ON privacy_agreement_authorization (owner_id);
