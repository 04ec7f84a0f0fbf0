//! The facts of a reading that was interrupted: all unknown.

use super::{Connection, Fact, Facts, Options, UnknownWhy};

impl Facts {
    /// What is known when the reading was interrupted: nothing.
    pub fn interrupted(options: &Options) -> Self {
        fn unknown<T>() -> Fact<T> {
            Fact::Unknown { why: UnknownWhy::Cut, detail: "the reading was interrupted".to_owned() }
        }
        Self {
            connection: Connection {
                server: options.server.to_string(),
                database: options.database.clone().unwrap_or_default(),
                server_version: None,
                certificate: options.certificate.record(),
                sign_in: options.sign_in.record(),
            },
            this_site: unknown(),
            sites: unknown(),
            site_systems: unknown(),
            site_system_proxies: unknown(),
            service_connection_points: unknown(),
            software_update_points: unknown(),
            sync_sources: unknown(),
            cmg_connection_points: unknown(),
            cmgs: unknown(),
            tenants: unknown(),
            azure_environments: unknown(),
            entra_user_discovery: unknown(),
            data_findings: Vec::new(),
        }
    }
}
