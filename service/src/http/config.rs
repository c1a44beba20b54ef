//! The address a service listens on. Without authentication it must be a loopback address, unless
//! ESS_ALLOW_UNAUTHENTICATED allows any.

use std::net::SocketAddr;

use super::HttpLimits;
use crate::{
    auth::AuthConfig,
    config::{ConfigError, ConfigKey, ConfigSection, Source},
};

const ALLOW: &str = "ESS_ALLOW_UNAUTHENTICATED";

/// The HTTP server of a service.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Address and port; with port 0 the system chooses one.
    pub addr: SocketAddr,
    /// Limits of connections and of the heads of requests.
    pub limits: HttpLimits,
    /// Authentication.
    pub auth: AuthConfig,
}

impl HttpConfig {
    /// The keys of a service whose address is `addr_env`, e.g. `COMMAND_API_ADDR`.
    pub const fn keys(addr_env: &'static str, default: &'static str) -> [ConfigKey; 2] {
        [
            ConfigKey::new(
                addr_env,
                default,
                "an IP address and port, such as 127.0.0.1:8000 or [::1]:8000",
                "address the service listens on; port 0: any free port",
            ),
            ConfigKey::new(
                ALLOW,
                "false",
                "true or false",
                "allow a service without authentication to listen on an address other than loopback",
            ),
        ]
    }

    /// The section of `keys`, which came from [`HttpConfig::keys`].
    pub const fn section(keys: &'static [ConfigKey; 2]) -> ConfigSection {
        ConfigSection {
            title: "HTTP server",
            keys,
        }
    }

    /// Reads `keys`, which came from [`HttpConfig::keys`], and the sections [`HttpLimits`] and [`AuthConfig`].
    ///
    /// # Errors
    /// An invalid value, or an address other than loopback without authentication or permission.
    pub fn read(source: &Source, keys: &[ConfigKey; 2]) -> Result<Self, ConfigError> {
        let [addr_key, allow_key] = keys;
        let text: String = source.value(addr_key)?;
        let addr: SocketAddr = text.parse().map_err(|_| {
            ConfigError::invalid(keys, addr_key.env, format!("{text:?} is not an address"))
        })?;
        let allow_unauthenticated: bool = source.value(allow_key)?;
        let auth = AuthConfig::read(source)?;
        if !addr.ip().is_loopback() && !auth.is_enabled() && !allow_unauthenticated {
            let problem = format!(
                "{addr} can be reached from other machines, and the service has no authentication; listen on 127.0.0.1, \
                 configure API keys (AUTH_API_KEYS_FILE) or tokens (AUTH_JWKS), or set {ALLOW}=true to allow it"
            );
            return Err(ConfigError::Invalid {
                key: addr_key.env.to_owned(),
                problem,
                allowed: None,
            });
        }
        Ok(Self {
            addr,
            limits: source.section()?,
            auth,
        })
    }
}
