//! A base URL taken apart: host, port, and the paths under it.
//! Must not know connections.

use http::Uri;

use super::endpoint::{EndpointConfig, RouteError};

/// Where the requests go.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// As the `host` header says it.
    pub(super) authority: String,
    /// With the dialect's path and the query.
    pub(super) path: String,
    /// The base URL's path, without a slash at its end.
    base: String,
    /// With its question mark, or empty.
    query: String,
}

impl Target {
    pub(super) fn url(&self) -> String {
        self.url_with(&self.path)
    }

    /// Of something beside the calls.
    pub(super) fn url_of(&self, path: &str) -> String {
        self.url_with(&self.path_of(path))
    }

    fn url_with(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }

    /// A path under the base URL's, with the query.
    pub(super) fn path_of(&self, path: &str) -> String {
        format!("{}{path}{}", self.base, self.query)
    }

    pub(super) fn parse(config: &EndpointConfig) -> Result<Self, RouteError> {
        let wrong = |why: &str| RouteError::base_url(config, why);
        let url: Uri = config.base_url.parse().map_err(|why| RouteError::base_url(config, why))?;
        let secure = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it begins with neither https:// nor http://")),
        };
        let authority = url.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            // Not with the address itself: what stands before the @ may be a password.
            let route = config.name.clone();
            return Err(RouteError::BaseUrl { route, url: "…@…".into(), why: "keys do not belong in it".into() });
        }
        if authority.host().is_empty() {
            return Err(wrong("it has no host"));
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Self {
            secure,
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: format!("{}{}{query}", url.path().trim_end_matches('/'), config.spoken().path()),
            base: url.path().trim_end_matches('/').to_owned(),
            query,
        })
    }
}
