//! Who may ask a service: the file of API keys, and how tokens are checked. What they mean stands in [`crate::auth`].

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::Url;
use serde::Deserialize;

use super::{ConfigError, ConfigKey, Secret, Source, millis};
use crate::auth::{ApiKeys, JwksSource, Scopes, TokenRules};

/// RFC 7518, section 3.2: a key of HS256 has at least as many bits as its hash.
const LEAST_SECRET_BYTES: usize = 32;

const KEYS_FILE: &str = "AUTH_API_KEYS_FILE";
const SECRET: &str = "AUTH_JWT_HS256_SECRET";
const JWKS: &str = "AUTH_JWKS";
const JWKS_REFRESH: &str = "AUTH_JWKS_REFRESH_MS";
const AUDIENCE: &str = "AUTH_JWT_AUDIENCE";
const LEEWAY: &str = "AUTH_JWT_LEEWAY_MS";
const DEFAULT_SCOPES: &str = "AUTH_JWT_DEFAULT_SCOPES";

/// Who may ask.
#[derive(Debug, Clone, Default)]
pub struct AuthConfig {
    /// The API keys that are known.
    pub keys: Arc<ApiKeys>,
    /// How tokens are checked; none: no token is taken.
    pub jwt: Option<JwtConfig>,
    is_enabled: bool,
}

/// How tokens are checked.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// What is asked of a token beside its signature.
    pub rules: TokenRules,
    /// What HS256 is checked with.
    pub secret: Option<Secret>,
    /// What RS256 and ES256 are checked with.
    pub jwks: Option<JwksConfig>,
}

/// Where the public keys are.
#[derive(Debug, Clone)]
pub struct JwksConfig {
    /// Where they are read.
    pub source: JwksSource,
    /// How often.
    pub refresh_interval: Duration,
}

#[derive(Debug, Deserialize)]
struct Given {
    #[serde(rename = "auth_api_keys_file", default)]
    keys_file: PathBuf,
    #[serde(rename = "auth_jwt_hs256_secret", default)]
    secret: Secret,
    #[serde(rename = "auth_jwks", default)]
    jwks: String,
    #[serde(rename = "auth_jwks_refresh_ms", deserialize_with = "millis")]
    jwks_refresh: Duration,
    #[serde(rename = "auth_jwt_audience", default)]
    audience: String,
    #[serde(rename = "auth_jwt_issuer", default)]
    issuer: String,
    #[serde(rename = "auth_jwt_leeway_ms", deserialize_with = "millis")]
    leeway: Duration,
    #[serde(rename = "auth_jwt_default_scopes", default)]
    default_scopes: String,
    #[serde(rename = "auth_jwt_sub_is_user")]
    sub_is_user: bool,
}

impl AuthConfig {
    /// Every key it reads.
    pub const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            KEYS_FILE,
            "",
            "a TOML file of [[key]] entries, as command-api api-key prints them",
            "the API keys that are known; unset: none",
        ),
        ConfigKey::new(
            SECRET,
            "",
            "at least 32 bytes",
            "what tokens signed by HS256 are checked with; unset: none is taken",
        )
        .secret(),
        ConfigKey::new(
            JWKS,
            "",
            "a file, or a URL beginning with http:// or https://",
            "the JWK set that tokens signed by RS256 or ES256 are checked with; unset: none is taken",
        ),
        ConfigKey::new(
            JWKS_REFRESH,
            "300000",
            "1000 to 86400000",
            "how often the JWK set is read again, in ms; a token that names an unknown key has it read at once",
        ),
        ConfigKey::new(
            AUDIENCE,
            "",
            "a name; must be set where tokens are taken",
            "what a token's aud must name",
        ),
        ConfigKey::new(
            "AUTH_JWT_ISSUER",
            "",
            "a name",
            "what a token's iss must be; unset: any",
        ),
        ConfigKey::new(
            LEEWAY,
            "30000",
            "0 to 300000",
            "how far the clocks of issuer and service may differ, in ms",
        ),
        ConfigKey::new(
            DEFAULT_SCOPES,
            "",
            "read, write, admin, separated by commas",
            "what a token without a scope claim allows; unset: nothing",
        ),
        ConfigKey::new(
            "AUTH_JWT_SUB_IS_USER",
            "false",
            "true or false",
            "a token allows only what concerns the user that its sub is",
        ),
    ];

    /// Whether anybody is asked for credentials.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Reads it, and the file of keys.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] naming the key.
    pub fn read(source: &Source) -> Result<Self, ConfigError> {
        let given: Given = source.typed()?;
        let keys = given.api_keys()?;
        let jwt = given.jwt()?;
        Ok(Self {
            is_enabled: keys.is_some() || jwt.is_some(),
            keys: Arc::new(keys.unwrap_or_default()),
            jwt,
        })
    }
}

impl Given {
    fn api_keys(&self) -> Result<Option<ApiKeys>, ConfigError> {
        let file = &self.keys_file;
        if file.as_os_str().is_empty() {
            return Ok(None);
        }
        let refused = |error| invalid(KEYS_FILE, format!("{}: {error}", file.display()));
        ApiKeys::read(file).map(Some).map_err(refused)
    }

    fn jwt(&self) -> Result<Option<JwtConfig>, ConfigError> {
        let secret = (!self.secret.expose().is_empty()).then(|| self.secret.clone());
        let jwks = self.jwks()?;
        if secret.is_none() && jwks.is_none() {
            return Ok(None);
        }
        let bytes = secret.as_ref().map(|secret| secret.expose().len());
        if let Some(bytes) = bytes.filter(|bytes| *bytes < LEAST_SECRET_BYTES) {
            return Err(invalid(SECRET, format!("it has {bytes} bytes")));
        }
        if self.audience.is_empty() {
            return Err(invalid(
                AUDIENCE,
                "a value is required where tokens are taken",
            ));
        }
        Ok(Some(JwtConfig {
            rules: self.rules()?,
            secret,
            jwks,
        }))
    }

    fn rules(&self) -> Result<TokenRules, ConfigError> {
        let leeway = self.leeway.as_millis();
        ConfigError::check_range(AuthConfig::KEYS, LEEWAY, &leeway, &(0..=300_000))?;
        let scopes = self.default_scopes.parse::<Scopes>();
        Ok(TokenRules {
            audience: self.audience.clone(),
            issuer: (!self.issuer.is_empty()).then(|| self.issuer.clone()),
            leeway: self.leeway,
            default_scopes: scopes.map_err(|e| invalid(DEFAULT_SCOPES, e.to_string()))?,
            sub_is_user: self.sub_is_user,
        })
    }

    fn jwks(&self) -> Result<Option<JwksConfig>, ConfigError> {
        let every = self.jwks_refresh.as_millis();
        ConfigError::check_range(
            AuthConfig::KEYS,
            JWKS_REFRESH,
            &every,
            &(1_000..=86_400_000),
        )?;
        let source = match self.jwks.as_str() {
            "" => return Ok(None),
            url if url.contains("://") => JwksSource::Url(http_url(url)?),
            file => JwksSource::File(file.into()),
        };
        Ok(Some(JwksConfig {
            source,
            refresh_interval: self.jwks_refresh,
        }))
    }
}

fn http_url(text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| invalid(JWKS, format!("{text:?}: {error}")))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(invalid(JWKS, format!("{text:?} is no URL of HTTP")))
    }
}

fn invalid(key: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::invalid(AuthConfig::KEYS, key, problem)
}
