-- What payments that name a bill have paid of it, and the day on which that reached its amount; of such a payment, how much of it
-- a bill took (0 = no bill of this number is here). Worked out from the payments whenever bills or payments change (ADR 0043).
ALTER TABLE customers_charge ADD COLUMN settled BIGINT;

ALTER TABLE customers_charge ADD COLUMN settled_on TEXT;

-- The day on which it was told that a bill is overdue.
ALTER TABLE customers_charge ADD COLUMN overdue_on TEXT;

-- Bills of which that may have to be told.
CREATE INDEX customers_charge_due ON customers_charge (due_on)
WHERE kind = 'bill' AND paid_on IS NULL AND settled_on IS NULL AND overdue_on IS NULL;

UPDATE customers_charge SET settled = (
    SELECT CAST(SUM(p.amount) AS BIGINT) FROM customers_charge p WHERE p.customer_id = customers_charge.customer_id
      AND p.kind = 'payment' AND p.bill_number = customers_charge.number)
WHERE number IS NOT NULL AND kind IN ('bill', 'fee');

UPDATE customers_charge SET settled_on = (
    SELECT MAX(p.issued_on) FROM customers_charge p WHERE p.customer_id = customers_charge.customer_id
      AND p.kind = 'payment' AND p.bill_number = customers_charge.number)
WHERE settled >= amount AND amount > 0 AND kind IN ('bill', 'fee');

UPDATE customers_charge SET settled = CASE WHEN EXISTS (
    SELECT 1 FROM customers_charge b WHERE b.customer_id = customers_charge.customer_id
      AND b.kind IN ('bill', 'fee') AND b.number = customers_charge.bill_number) THEN amount ELSE 0 END
WHERE kind = 'payment' AND bill_number IS NOT NULL;
