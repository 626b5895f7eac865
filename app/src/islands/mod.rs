//! The only code besides `api` and `domain` that is compiled for the browser: small leaves that improve a page which is
//! already complete. No context, no resources, no island inside an island; what they need arrives as props, and a prop
//! stands readable in the page.

mod chart_readout;
mod confirm_dialog;
mod copy_button;
mod live_overview;

pub use chart_readout::ChartReadout;
pub use confirm_dialog::ConfirmDialog;
pub use copy_button::CopyButton;
pub use live_overview::LiveOverview;
