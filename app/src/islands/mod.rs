//! The only code besides `api` and `domain` that is compiled for the browser: small leaves that improve a page which is
//! already complete. No context, no resources, no island inside an island; what they need arrives as props, and a prop
//! stands readable in the page.
//!
//! An island draws nothing. What is seen is drawn by the server beside it, and the island finds it by its place: so nothing
//! has to be woken that a browser's translation may have taken apart before or takes apart later
//! (docs/decisions/0022-figures-in-tables.md).

mod chart_readout;
mod confirm_dialog;
mod copy_buttons;
#[cfg(feature = "hydrate")]
mod dom;
mod fresh_tab;
mod live_overview;
mod shortcuts;

pub use chart_readout::ChartReadout;
pub use confirm_dialog::ConfirmDialog;
pub use copy_buttons::CopyButtons;
pub use fresh_tab::FreshTab;
pub use live_overview::{LiveOverview, coarse, currency, fine, running};
pub use shortcuts::Shortcuts;
