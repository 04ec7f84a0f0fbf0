//! The facts of a reading that was interrupted: all unknown.

use super::{Connection, Facts, Options, UnknownWhy};

impl Facts {
    /// What is known when the reading was interrupted: nothing.
    pub fn interrupted(options: &Options) -> Self {
        let connection = Connection {
            server: options.server.to_string(),
            database: options.database.clone().unwrap_or_default(),
            server_version: None,
            certificate: options.certificate.record(),
            sign_in: options.sign_in.record(),
        };
        Self::unknown(connection, UnknownWhy::Cut, "the reading was interrupted")
    }
}
