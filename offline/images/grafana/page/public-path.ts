// Where @grafana/ui looks for its icons and fonts. In a module of its own, so that it is set before that is loaded.
(window as { __grafana_public_path__?: string }).__grafana_public_path__ = "/public/";
