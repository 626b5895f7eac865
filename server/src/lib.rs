//! The program around the application: configuration, telemetry, the HTTP edge, start and stop.
//! Pages belong in `app`, what they read and change in `backend`.

pub mod commands;
pub mod config;
pub mod http;
mod serve;
pub mod telemetry;
