-- Bills, fees and adjustments are opened by their id through the interface of programs (TMF678): one index for both resources.
DROP INDEX customers_charge_bill;

CREATE INDEX customers_charge_rate ON customers_charge (id) WHERE kind <> 'payment';
