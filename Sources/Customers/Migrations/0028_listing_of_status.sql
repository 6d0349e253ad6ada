-- Programs ask for the customers of a status in the order of their ids (TMF629): without it all of them are sorted for each page.
CREATE INDEX customers_listing_state ON customers_listing (status, customer_id);
