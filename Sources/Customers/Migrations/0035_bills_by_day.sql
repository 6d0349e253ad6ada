-- Bills of a day, or since, as programs ask for them (TMF678).
CREATE INDEX customers_charge_issued ON customers_charge (issued_on) WHERE kind <> 'payment' AND issued_on IS NOT NULL;
