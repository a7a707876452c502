// Before anything is painted: the theme that was chosen here. Without one the system's is taken.
try {
  const chosen = localStorage.getItem("forestall-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // No storage: the system's theme it is.
}
