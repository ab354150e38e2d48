/** Mantine as this page uses it: no styles made by scripts, so no scroll lock; colours are in `styles/tokens.css`. */
import { createTheme, Drawer, Modal, Select, Tooltip } from "@mantine/core"

export const theme = createTheme({
  cursorType: "pointer",
  components: {
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        centered: true,
        radius: "lg",
        overlayProps: { backgroundOpacity: 0.45 },
      },
    }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, withArrow: true } }),
    Select: Select.extend({ defaultProps: { allowDeselect: false, checkIconPosition: "right" } }),
  },
})
