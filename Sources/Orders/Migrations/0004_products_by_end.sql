-- Products are asked for by when they ended; most have not.
CREATE INDEX orders_product_terminated ON orders_product (terminated_at) WHERE terminated_at IS NOT NULL;
