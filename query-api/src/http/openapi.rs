//! The document of this API, and the service that poem-openapi makes of it. What is documented stands beside each path.

mod answers;

use std::sync::Arc;

use ess_service::{auth::SecuredApi, openapi::DocumentedApi};
use poem_openapi::{LicenseObject, OpenApiService};

use self::answers::Answers;
use crate::http::{
    reader::Reader,
    routes::{
        EventApi, EventsApi, LagApi, LiveApi, PlaybackApi, PlaybacksApi, ProjectionApi, ReportApi,
        RetentionApi, TopApi, TrackApi,
    },
};

type Apis = (
    PlaybackApi,
    PlaybacksApi,
    ReportApi,
    TopApi,
    TrackApi,
    RetentionApi,
    LagApi,
    LiveApi,
    EventsApi,
    EventApi,
    ProjectionApi,
);

const ABOUT: &str = "Answers questions about playbacks and events from the read model that is folded from the log.

Times are RFC 3339 in UTC with milliseconds; durations and media positions are in ms. Every error is `application/problem+json` (RFC 9457): so are 404 for a path that is none, and 405, with `Allow`, for a method that a path does not take. `HEAD` is answered wherever `GET` is. Answers are kept for a moment (`Cache-Control`, `Age`, `ETag`); `Ess-Watermark` tells how fresh the read model was at least, and `?after=` waits until it holds what the caller wrote.";

/// The service: routes and document.
pub(crate) fn service(
    reader: &Arc<Reader>,
) -> OpenApiService<DocumentedApi<SecuredApi<Apis>, Answers>, ()> {
    let apis = (
        PlaybackApi(Arc::clone(reader)),
        PlaybacksApi(Arc::clone(reader)),
        ReportApi(Arc::clone(reader)),
        TopApi(Arc::clone(reader)),
        TrackApi(Arc::clone(reader)),
        RetentionApi(Arc::clone(reader)),
        LagApi(Arc::clone(reader)),
        LiveApi(Arc::clone(reader)),
        EventsApi(Arc::clone(reader)),
        EventApi(Arc::clone(reader)),
        ProjectionApi(Arc::clone(reader)),
    );
    let license =
        LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0");
    let apis = DocumentedApi::new(SecuredApi(apis));
    OpenApiService::new(apis, "ESS query-api", env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .license(license)
}
