//! The caller of a request, and the scopes of credentials.

use std::{fmt, str::FromStr, sync::Arc};

use ess_schema::UserId;
use poem::Request;

/// A permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read: `GET` and `HEAD`.
    Read,
    /// Append facts: all other methods.
    Write,
    /// Everything.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The name in configuration and tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        let known = Self::ALL.into_iter().find(|scope| scope.name() == name);
        known.ok_or_else(|| UnknownScope(name.to_owned()))
    }
}

/// An unknown name of a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope {0:?}; expected one of read, write, admin")]
pub struct UnknownScope(pub(super) String);

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether the set allows `required`; `admin` allows everything.
    pub const fn allow(self, required: Scope) -> bool {
        self.0 & (required.bit() | Scope::Admin.bit()) != 0
    }

    /// Parses names separated by spaces, as in the `scope` claim of a token (RFC 8693, section 4.2). It ignores unknown
    /// names, because a token may be for other services, too.
    pub(super) fn from_claim(names: &str) -> Self {
        names
            .split_ascii_whitespace()
            .filter_map(|name| name.parse().ok())
            .collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

/// Parses names separated by commas.
impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(names: &str) -> Result<Self, UnknownScope> {
        let names = names.split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::parse::<Scope>)
            .collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Scope::ALL.into_iter().filter(|s| self.0 & s.bit() != 0);
        let names: Vec<_> = held.map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}

/// The caller of a request. [`super::Gate`] attaches it to requests if the service has authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the API key, or the subject of the token.
    pub name: Arc<str>,
    /// The scopes of the credentials.
    pub scopes: Scopes,
    /// The only user whose playbacks the caller may append and query; none: all users.
    pub only_user: Option<UserId>,
}

impl Caller {
    /// The caller of `request`; none if the request needs no credentials.
    pub fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The only user whose playbacks the caller of `request` may append and query.
    pub fn only_user(request: &Request) -> Option<&UserId> {
        Self::of(request)?.only_user.as_ref()
    }
}
