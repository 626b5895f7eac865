//! What stands around the dashboard when it is tried: database, peers, the program itself, and somebody who starts and stops
//! them in order. Tests use it in their own process (feature `world`); the program `stand` supervises other programs.
//! Nothing here is part of what is shipped, and no rule of the dashboard is repeated here.

pub mod address;
pub mod draw;
pub mod environment;
pub mod http;
#[cfg(feature = "world")]
pub mod outside;
pub mod program;
pub mod say;
pub mod signals;
#[cfg(feature = "world")]
pub mod world;
