//! All kinds of problems: the closed list of values of the member `type`.

use poem::http::StatusCode;

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $title:literal;)*) => {
        /// A kind of problem: its URI, title and HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemKind { $($(#[$doc])* $name,)* }

        impl ProblemKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The URI, relative to the service.
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$name => concat!("/problems/", $slug),)* }
            }

            /// A summary.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }
        }
    };
}

problem_kinds! {
    /// An invalid parameter, header or encoding.
    BadRequest = "bad-request", BAD_REQUEST, "The request is invalid";
    /// A body that is not JSON, or not the JSON of its media type.
    NotJson = "not-json", BAD_REQUEST, "The body is not valid JSON";
    /// Missing or invalid credentials.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Credentials are missing or invalid";
    /// Credentials that do not allow the request.
    Forbidden = "forbidden", FORBIDDEN, "The credentials do not allow the request";
    /// An unknown path or id.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// A known path with an unknown method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// A body that did not arrive in time.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    /// No accepted media type is available.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "No accepted media type is available";
    /// An item or a body larger than the limit.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// A request line and headers larger than the limit.
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large";
    /// A media type that is not supported.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    /// A well-formed item with invalid fields, listed in `errors`.
    InvalidItem = "invalid-item", UNPROCESSABLE_ENTITY, "The item is invalid";
    /// A query with invalid parameters, listed in `errors`.
    InvalidQuery = "invalid-query", UNPROCESSABLE_ENTITY, "The query is invalid";
    /// A query beyond the limits of time, rows or memory.
    QueryTooExpensive = "query-too-expensive", UNPROCESSABLE_ENTITY, "The query is too expensive";
    /// Requests beyond the rate limit.
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A defect of the service.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal server error";
    /// Kafka is unavailable: nothing was appended.
    LogUnavailable = "log-unavailable", SERVICE_UNAVAILABLE, "Kafka is unavailable";
    /// A queue or an in-flight limit is full: the request had no effect.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too many requests in flight";
    /// ClickHouse is unavailable.
    ReadModelUnavailable = "read-model-unavailable", SERVICE_UNAVAILABLE, "The read model is unavailable";
    /// Credentials cannot be checked now.
    AuthenticationUnavailable = "authentication-unavailable", SERVICE_UNAVAILABLE, "Credentials cannot be checked now";
    /// The position of `?after=` is not projected yet.
    NotYetProjected = "not-yet-projected", SERVICE_UNAVAILABLE, "The position is not projected yet";
    /// Kafka did not acknowledge in time: the event may or may not be in the log.
    OutcomeUnknown = "outcome-unknown", GATEWAY_TIMEOUT, "The outcome is unknown; retry with the same id";
}

impl ProblemKind {
    /// The kind for an HTTP status; for statuses without one, `BadRequest` or `Internal`.
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
