//! placeholder until the mail module exists
fn main() {}
