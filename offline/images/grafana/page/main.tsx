import "./public-path";
import { css } from "@emotion/css";
import { ThemeContext } from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import { ErrorBoundaryAlert, GlobalStyles, LoadingPlaceholder, PortalContainer } from "@grafana/ui";
import { type MouseEvent, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { allDashboards, type FoundDashboard, readDashboard } from "./ask";
import { DashboardView } from "./dashboard";
import { theme } from "./fields";
import type { Dashboard } from "./model";
import { readUrl, type UrlState, writeUrl } from "./url";

function App() {
  const [state, setState] = useAddress();
  const [others, setOthers] = useState<readonly FoundDashboard[]>([]);
  const [dashboard, setDashboard] = useState<Dashboard>();
  const [error, setError] = useState<string>();
  const uid = state?.uid;
  useEffect(() => {
    allDashboards().then(setOthers, (error: Error) => setError(error.message));
  }, []);
  useEffect(() => {
    if (!uid) return;
    // An answer that comes when another dashboard was chosen must not take the place of that one's.
    let isWanted = true;
    setError(undefined);
    readDashboard(uid).then(
      (dashboard) => isWanted && setDashboard(dashboard),
      (error: Error) => isWanted && setError(error.message),
    );
    return () => {
      isWanted = false;
    };
  }, [uid]);
  useEffect(() => {
    document.title = dashboard ? `${dashboard.title} – dashboard page` : "dashboard page";
  }, [dashboard]);
  return (
    <div className={styles.page}>
      {!state?.kiosk && <Navigation others={others} uid={uid} />}
      {error !== undefined ? (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      ) : state && dashboard?.uid === uid && dashboard ? (
        <ErrorBoundaryAlert
          title="This dashboard cannot be drawn"
          dependencies={[dashboard, state]}
          errorLogger={console.error}
        >
          <DashboardView key={uid} dashboard={dashboard} others={others} state={state} onChange={setState} />
        </ErrorBoundaryAlert>
      ) : (
        <LoadingPlaceholder text="Loading" />
      )}
    </div>
  );
}

function Navigation({
  others,
  uid,
}: {
  readonly others: readonly FoundDashboard[];
  readonly uid: string | undefined;
}) {
  return (
    <nav className={styles.navigation} aria-label="Dashboards">
      <h2>Dashboards</h2>
      <ul>
        {others.map((other) => (
          <li key={other.uid}>
            <a
              href={`/d/${other.uid}`}
              title={other.description}
              aria-current={other.uid === uid ? "page" : undefined}
            >
              {other.title}
            </a>
          </li>
        ))}
      </ul>
      <p>
        This page draws the stack’s Grafana dashboards and only reads. It stands in for Grafana, which is in
        no package registry.
      </p>
    </nav>
  );
}

/** The address bar, and a way to change it. Links within the page change it, too, without loading the page anew. */
function useAddress(): readonly [UrlState | undefined, (state: UrlState) => void] {
  const read = () => readUrl(location.pathname, location.search);
  const [state, setState] = useState(read);
  useEffect(() => {
    const update = () => setState(read());
    addEventListener("popstate", update);
    return () => removeEventListener("popstate", update);
  }, []);
  return [
    state,
    (next) => {
      history.pushState(null, "", writeUrl(next));
      setState(next);
    },
  ];
}

function followInPage(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!isPlain || !link || link.target || link.origin !== location.origin || !link.pathname.startsWith("/d/"))
    return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  dispatchEvent(new PopStateEvent("popstate"));
  scrollTo(0, 0);
}

const styles = {
  page: css({ display: "flex", minHeight: "100vh", background: theme.colors.background.canvas }),
  error: css({ margin: 32, color: theme.colors.error.text }),
  navigation: css({
    position: "sticky",
    top: 0,
    flexShrink: 0,
    width: 200,
    height: "100vh",
    padding: 16,
    display: "flex",
    flexDirection: "column",
    background: theme.colors.background.primary,
    borderRight: `1px solid ${theme.colors.border.weak}`,
    "& h2": { fontSize: theme.typography.h5.fontSize },
    "& ul": { listStyle: "none", flexGrow: 1 },
    "& a": { display: "block", padding: "6px 8px", borderRadius: 4, color: theme.colors.text.secondary },
    "& a:hover": { color: theme.colors.text.primary, background: theme.colors.action.hover },
    "& a[aria-current]": { color: theme.colors.text.primary, background: theme.colors.action.selected },
    "& p": { fontSize: theme.typography.bodySmall.fontSize, color: theme.colors.text.secondary },
  }),
};

initPluginTranslations("dashboard-page").then(() => {
  createRoot(document.getElementById("root") as Element).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the links inside are what is clicked. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click. */}
      <div onClick={followInPage}>
        <App />
      </div>
      <PortalContainer />
    </ThemeContext.Provider>,
  );
});
