//! The configuration of authentication: the file of API keys, and how tokens are verified.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::Url;
use serde::Deserialize;

use super::{ApiKeys, JwksSource, Scopes, TokenRules};
use crate::config::{ConfigError, ConfigKey, ConfigSection, Secret, Source, millis};

/// RFC 7518, section 3.2: a key for HS256 has at least 256 bits.
const MIN_SECRET_BYTES: usize = 32;

const KEYS_FILE: &str = "AUTH_API_KEYS_FILE";
const SECRET: &str = "AUTH_JWT_HS256_SECRET";
const JWKS: &str = "AUTH_JWKS";
const AUDIENCE: &str = "AUTH_JWT_AUDIENCE";
const DEFAULT_SCOPES: &str = "AUTH_JWT_DEFAULT_SCOPES";

/// Authentication of a service; without API keys and tokens it is off.
#[derive(Debug, Clone, Default)]
pub struct AuthConfig {
    /// The API keys.
    pub keys: Arc<ApiKeys>,
    /// How tokens are verified; none: every token is rejected.
    pub jwt: Option<JwtConfig>,
    is_enabled: bool,
}

/// How tokens are verified.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// The rules for claims.
    pub rules: TokenRules,
    /// The secret for HS256.
    pub secret: Option<Secret>,
    /// The public keys for RS256 and ES256.
    pub jwks: Option<JwksConfig>,
}

/// A JWK set.
#[derive(Debug, Clone)]
pub struct JwksConfig {
    /// Where it is read from.
    pub source: JwksSource,
    /// The interval between reloads.
    pub refresh_interval: Duration,
}

#[derive(Debug, Deserialize)]
struct AuthValues {
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
            "a TOML file of [[key]] entries, as `command-api api-key` prints them",
            "file of API keys, stored as SHA-256 hashes; unset: no API keys",
        ),
        ConfigKey::new(
            SECRET,
            "",
            "at least 32 bytes",
            "secret that verifies tokens signed with HS256; unset: such tokens are rejected",
        )
        .secret(),
        ConfigKey::new(
            JWKS,
            "",
            "a file, or a URL that begins with http:// or https://",
            "JWK set that verifies tokens signed with RS256 or ES256; unset: such tokens are rejected",
        ),
        ConfigKey::integer(
            "AUTH_JWKS_REFRESH_MS",
            "300000",
            1_000..=86_400_000,
            "interval between reloads of the JWK set, in ms; a token with an unknown key id causes a reload at once",
        ),
        ConfigKey::new(
            AUDIENCE,
            "",
            "any text; required if tokens are accepted",
            "audience that the aud claim of a token must contain",
        ),
        ConfigKey::new(
            "AUTH_JWT_ISSUER",
            "",
            "any text",
            "issuer that the iss claim of a token must equal; unset: any",
        ),
        ConfigKey::integer(
            "AUTH_JWT_LEEWAY_MS",
            "30000",
            0..=300_000,
            "accepted clock difference between issuer and service, in ms",
        ),
        ConfigKey::new(
            DEFAULT_SCOPES,
            "",
            "read, write, admin, separated by commas",
            "scopes of a token without a scope claim; unset: none",
        ),
        ConfigKey::new(
            "AUTH_JWT_SUB_IS_USER",
            "false",
            "true or false",
            "restrict a token to the data of the user named by its sub claim",
        ),
    ];
    /// Title and keys.
    pub const SECTION: ConfigSection = ConfigSection {
        title: "Authentication",
        keys: Self::KEYS,
    };

    /// Whether requests need credentials.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Reads the keys above, and the file of API keys.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the key and the problem.
    pub fn read(source: &Source) -> Result<Self, ConfigError> {
        let given: AuthValues = source.ranged(Self::KEYS)?;
        let keys = given.api_keys()?;
        let jwt = given.jwt()?;
        Ok(Self {
            is_enabled: keys.is_some() || jwt.is_some(),
            keys: Arc::new(keys.unwrap_or_default()),
            jwt,
        })
    }
}

impl AuthValues {
    fn api_keys(&self) -> Result<Option<ApiKeys>, ConfigError> {
        let file = &self.keys_file;
        if file.as_os_str().is_empty() {
            return Ok(None);
        }
        let unusable = |error| invalid(KEYS_FILE, format!("{}: {error}", file.display()));
        ApiKeys::read(file).map(Some).map_err(unusable)
    }

    fn jwt(&self) -> Result<Option<JwtConfig>, ConfigError> {
        let secret = (!self.secret.expose().is_empty()).then(|| self.secret.clone());
        let jwks = self.jwks()?;
        if secret.is_none() && jwks.is_none() {
            return Ok(None);
        }
        let bytes = secret.as_ref().map(|secret| secret.expose().len());
        if let Some(bytes) = bytes.filter(|bytes| *bytes < MIN_SECRET_BYTES) {
            return Err(invalid(SECRET, format!("the secret has {bytes} bytes")));
        }
        if self.audience.is_empty() {
            return Err(invalid(
                AUDIENCE,
                "a value is required if tokens are accepted",
            ));
        }
        Ok(Some(JwtConfig {
            rules: self.rules()?,
            secret,
            jwks,
        }))
    }

    fn rules(&self) -> Result<TokenRules, ConfigError> {
        let scopes = self.default_scopes.parse::<Scopes>();
        Ok(TokenRules {
            audience: self.audience.clone(),
            issuer: (!self.issuer.is_empty()).then(|| self.issuer.clone()),
            leeway: self.leeway,
            default_scopes: scopes
                .map_err(|e| invalid(DEFAULT_SCOPES, format!("unknown scope {:?}", e.0)))?,
            sub_is_user: self.sub_is_user,
        })
    }

    fn jwks(&self) -> Result<Option<JwksConfig>, ConfigError> {
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
        Err(invalid(JWKS, format!("{text:?} is not an HTTP URL")))
    }
}

fn invalid(key: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::invalid(AuthConfig::KEYS, key, problem)
}
