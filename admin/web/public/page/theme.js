// Before the first paint: the theme the person chose, or the system's.
{
  const chosen = localStorage.getItem("theme")
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light"
}
