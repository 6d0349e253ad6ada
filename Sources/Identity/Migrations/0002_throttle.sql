-- Keys hold a code of the name that was typed, no more the name; counts under names are forgotten.
DELETE FROM identity_throttle;
