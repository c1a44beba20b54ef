//! Who asks, and what they may do.

use std::{fmt, str::FromStr, sync::Arc};

use ess_schema::UserId;
use poem::Request;

/// One thing that may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Asking questions: `GET` and `HEAD`.
    Read,
    /// Telling facts: every other method.
    Write,
    /// Everything.
    Admin,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// As configuration and tokens write it.
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

/// A scope that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope; allowed: read, write, admin")]
pub struct UnknownScope(String);

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope.
    pub const EVERY: Self = Self(Scope::Admin.bit());

    /// Whether it allows what `needed` is; `admin` allows everything.
    pub const fn allow(self, needed: Scope) -> bool {
        self.0 & (needed.bit() | Scope::Admin.bit()) != 0
    }

    /// The known ones of names separated by blanks, as a token's `scope` claim has them (RFC 8693, section 4.2): tokens are made
    /// for other services, too, so others are not an error.
    pub(super) fn known_of(names: &str) -> Self {
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

/// Names separated by commas.
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

/// Who asks. A request that passed the [`super::Gate`] of a service that knows authentication carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the API key, or the subject of the token.
    pub name: Arc<str>,
    /// What they may do.
    pub scopes: Scopes,
    /// The only user whose playbacks they may tell and ask of; none: of everyone.
    pub only_user: Option<UserId>,
}

impl Caller {
    /// Who sent `request`; none where nobody is asked for credentials.
    pub fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The only user whose playbacks the sender of `request` may tell and ask of.
    pub fn only_user(request: &Request) -> Option<&UserId> {
        Self::of(request)?.only_user.as_ref()
    }
}
