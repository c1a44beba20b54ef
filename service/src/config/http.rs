//! Where a service listens, how much it takes there, and from whom. Without authentication the address is on the loopback, unless
//! told otherwise in so many words.

use std::net::SocketAddr;

use super::{AuthConfig, ConfigError, ConfigKey, HttpLimits, Source};

const ALLOW: &str = "ESS_ALLOW_UNAUTHENTICATED";

/// Where a service listens.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Address and port; port 0 lets the system choose one.
    pub addr: SocketAddr,
    /// How much it takes.
    pub limits: HttpLimits,
    /// Who may ask.
    pub auth: AuthConfig,
}

impl HttpConfig {
    /// The keys of a service whose address is `addr_env`, e.g. `COMMAND_API_ADDR`.
    pub const fn keys(addr_env: &'static str, default: &'static str) -> [ConfigKey; 2] {
        [
            ConfigKey::new(
                addr_env,
                default,
                "an IP address and port, e.g. 127.0.0.1:8000 or [::1]:8000",
                "where the service listens",
            ),
            ConfigKey::new(
                ALLOW,
                "false",
                "true or false",
                "lets a service without API keys and tokens listen beyond the loopback",
            ),
        ]
    }

    /// Reads the section whose keys came from [`HttpConfig::keys`], with [`HttpLimits`] and [`AuthConfig`], whose keys are listed
    /// beside.
    ///
    /// # Errors
    /// An address that is none, or one beyond the loopback without leave; what those two refuse.
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
                "{addr} can be reached from other machines, and without authentication everyone there could use the service; \
                 listen on 127.0.0.1, give it API keys (AUTH_API_KEYS_FILE) or tokens to check (AUTH_JWKS), or set {ALLOW}=true if that is what you want"
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
