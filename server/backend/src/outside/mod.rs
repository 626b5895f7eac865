//! The clients of what is outside: orchestrator, SMTP, customers' webhooks. Every wait is bounded.
//! What is sent and why is its subject's.

pub mod letter;
pub mod orchestrator;
pub mod poster;
pub mod smtp;
