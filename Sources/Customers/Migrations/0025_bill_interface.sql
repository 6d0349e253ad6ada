-- Bills are opened by their id and their number through the interface of programs (TMF678).
CREATE INDEX customers_charge_bill ON customers_charge (id)
  WHERE kind IN ('bill', 'disputed', 'cancelled', 'written_off', 'draft');

CREATE INDEX customers_charge_number ON customers_charge (number) WHERE number IS NOT NULL;
