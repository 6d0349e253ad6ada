-- Messages to customers (TMF681). customer_id: the first receiver who is one of ours, 0 = none.
CREATE TABLE channels_message (
  customer_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  message_type TEXT,
  subject TEXT,
  content TEXT,
  description TEXT,
  priority TEXT,
  log_flag BOOLEAN,
  try_times BIGINT,
  scheduled_at BIGINT,
  sent_at BIGINT,
  completed_at BIGINT,
  state TEXT NOT NULL,
  state_reason TEXT,
  created_at BIGINT NOT NULL,
  sender_id TEXT,
  sender_name TEXT,
  sender_email TEXT,
  sender_phone TEXT,
  sender_party TEXT,
  PRIMARY KEY (customer_id, id)
);

CREATE INDEX channels_message_id ON channels_message (id);

CREATE INDEX channels_message_type ON channels_message (message_type);

CREATE INDEX channels_message_state ON channels_message (state);

CREATE INDEX channels_message_scheduled ON channels_message (scheduled_at);

CREATE INDEX channels_message_sent ON channels_message (sent_at);

CREATE TABLE channels_message_receiver (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  receiver_id TEXT,
  name TEXT,
  phone TEXT,
  email TEXT,
  app_user TEXT,
  ip TEXT,
  party_id TEXT,
  party_role TEXT,
  party_name TEXT,
  party_type TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX channels_message_receiver_owner ON channels_message_receiver (owner_id);

CREATE INDEX channels_message_receiver_party ON channels_message_receiver (party_id);

CREATE INDEX channels_message_receiver_phone ON channels_message_receiver (phone);

CREATE INDEX channels_message_receiver_email ON channels_message_receiver (email);

CREATE TABLE channels_message_characteristic (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  characteristic_id TEXT,
  name TEXT,
  value_type TEXT,
  value TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX channels_message_characteristic_owner ON channels_message_characteristic (owner_id);

CREATE INDEX channels_message_characteristic_name ON channels_message_characteristic (name);

CREATE TABLE channels_message_attachment (
  customer_id BIGINT NOT NULL,
  owner_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  attachment_id TEXT,
  name TEXT,
  description TEXT,
  attachment_type TEXT,
  mime_type TEXT,
  url TEXT,
  content TEXT,
  PRIMARY KEY (customer_id, owner_id, place)
);

CREATE INDEX channels_message_attachment_owner ON channels_message_attachment (owner_id);

-- One message to one receiver: what becomes of it. customer_id: the receiver, 0 = none of ours. state: queued, sending, sent, failed,
-- refused, cancelled. taken_by: the adapter's memory that the last try went to; lease_until: until when that try has the delivery.
CREATE TABLE channels_delivery (
  customer_id BIGINT NOT NULL,
  message_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  channel TEXT NOT NULL,
  purpose TEXT NOT NULL,
  summary TEXT NOT NULL,
  state TEXT NOT NULL,
  rank BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  tries_max BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  taken_by TEXT,
  happened_at BIGINT NOT NULL,
  reason TEXT,
  PRIMARY KEY (customer_id, message_id, place)
);

CREATE INDEX channels_delivery_message ON channels_delivery (message_id);

CREATE INDEX channels_delivery_due ON channels_delivery (due_at) WHERE state IN ('queued', 'sending');

CREATE INDEX channels_delivery_customer ON channels_delivery (customer_id, happened_at);
