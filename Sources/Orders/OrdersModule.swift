/// Placeholder until the first slice.
enum Orders {}
