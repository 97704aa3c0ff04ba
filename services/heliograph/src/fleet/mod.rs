//! Services put into a process: what they stand on, which ones there are, and the servers they share.

mod ground;
mod process;
mod services;

pub use ground::{Ground, ObjectSettings, WebchatOptions};
pub use process::{Addresses, Process, Servers, elsewhere};
pub use services::{Part, SERVICES, ServiceRow, known};
