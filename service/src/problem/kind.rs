//! Every kind of problem a caller can meet: the closed list behind the `type` member.

use poem::http::StatusCode;

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $title:literal;)*) => {
        /// A kind of problem: its URI, title and HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemKind { $($(#[$doc])* $name,)* }

        impl ProblemKind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The kind's URI, relative to the service.
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$name => concat!("/problems/", $slug),)* }
            }

            /// The kind in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The HTTP status it is answered with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }
        }
    };
}

problem_kinds! {
    /// The request as a whole makes no sense: a bad parameter, header or encoding.
    BadRequest = "bad-request", BAD_REQUEST, "The request cannot be understood";
    /// The body is not JSON (or not the JSON that its media type promises).
    NotJson = "not-json", BAD_REQUEST, "The body is not valid JSON";
    /// No or wrong credentials.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Credentials are missing or wrong";
    /// Credentials that do not allow this.
    Forbidden = "forbidden", FORBIDDEN, "The credentials do not allow this";
    /// No such path, or nothing known under this id.
    NotFound = "not-found", NOT_FOUND, "Nothing is known here";
    /// The path exists; the method does not.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not take this method";
    /// The body did not arrive in time.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// None of the media types asked for can be produced.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "No acceptable media type can be produced";
    /// An item, or the request, is larger than the limit.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// A first line and headers that are larger than the limit.
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large";
    /// A media type that is not taken here.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    /// An item that is well-formed but breaks a rule; `errors` names the fields.
    InvalidItem = "invalid-item", UNPROCESSABLE_ENTITY, "The item is invalid";
    /// A question that breaks a rule; `errors` names the parameters.
    InvalidQuery = "invalid-query", UNPROCESSABLE_ENTITY, "The query is invalid";
    /// A question that asks for more than the limits of time, rows or memory allow.
    QueryTooExpensive = "query-too-expensive", UNPROCESSABLE_ENTITY, "The query asks for too much";
    /// More requests than agreed.
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A defect of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side";
    /// The log cannot take the item now: nothing was appended.
    LogUnavailable = "log-unavailable", SERVICE_UNAVAILABLE, "The log cannot take it now";
    /// The queue or the in-flight limit is full: nothing was appended.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too much is in flight";
    /// The read model cannot be asked now.
    ReadModelUnavailable = "read-model-unavailable", SERVICE_UNAVAILABLE, "The read model cannot answer now";
    /// Credentials cannot be checked now.
    AuthenticationUnavailable = "authentication-unavailable", SERVICE_UNAVAILABLE, "Credentials cannot be checked now";
    /// The position waited for has not reached the read model yet.
    NotYetProjected = "not-yet-projected", SERVICE_UNAVAILABLE, "The read model is not that far yet";
    /// The broker did not say in time: the event may or may not be in the log.
    OutcomeUnknown = "outcome-unknown", GATEWAY_TIMEOUT, "The outcome is unknown; repeat with the same id";
}

impl ProblemKind {
    /// The kind that stands for a bare HTTP status; for those that ours do not cover, the general one of its class.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        let same = Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.status() == status);
        same.unwrap_or(if status.is_client_error() {
            Self::BadRequest
        } else {
            Self::Internal
        })
    }
}
