// Before anything is drawn: the choice between light and dark that this browser keeps. Without one
// the system's choice holds. A classic script, because modules run only after the first drawing.
(() => {
    try {
        const choice = localStorage.getItem('theme');
        if (choice === 'light' || choice === 'dark')
            document.documentElement.dataset.theme = choice;
    } catch {
        // A browser that keeps nothing: the system's choice.
    }
})();
