//! The connectors that come with the engine: plain HTTP, mail, and sign-ins of incoming webhooks.
//!
//! Always true: they are data like every other; only `mail` asks for something HTTP cannot do.

/// Each built-in connector: its name, and its file.
pub const ALL: [(&str, &str); 5] = [
    ("http", include_str!("builtin/http.yaml")),
    ("mail", include_str!("builtin/mail.yaml")),
    ("webhook_basic", include_str!("builtin/webhook_basic.yaml")),
    ("webhook_token", include_str!("builtin/webhook_token.yaml")),
    ("webhook_hmac", include_str!("builtin/webhook_hmac.yaml")),
];
