-- Bills of a state as programs ask for them (TMF678): the words of BillResourceStore.state, in which the list asks.
CREATE INDEX customers_charge_state ON customers_charge ((CASE WHEN kind = 'draft' THEN 'new' WHEN kind = 'disputed' THEN 'onHold'
  WHEN kind IN ('cancelled', 'written_off') THEN 'settled' WHEN paid_on IS NOT NULL OR COALESCE(settled, 0) >= amount THEN 'settled'
  WHEN COALESCE(settled, 0) > 0 THEN 'partiallyPaid' ELSE 'sent' END), id)
  WHERE kind <> 'payment';

-- People of a day of birth (TMF632).
CREATE INDEX customers_party_birth ON customers_party (birth_date) WHERE birth_date IS NOT NULL;
