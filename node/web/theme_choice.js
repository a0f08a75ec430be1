// The button that goes from the system's colours to light, to dark, and back.
import { setText } from './dom.js';

const CHOICES = ['system', 'light', 'dark'];
const WORDS = { system: 'Colours: system', light: 'Colours: light', dark: 'Colours: dark' };

function keep(choice) {
    try {
        if (choice === 'system')
            localStorage.removeItem('theme');
        else
            localStorage.setItem('theme', choice);
    } catch {
        // A browser that keeps nothing: the choice lasts as long as the page.
    }
}

export function makeThemeChoice(button) {
    const root = document.documentElement;
    let choice = root.dataset.theme ?? 'system';
    setText(button, WORDS[choice]);
    button.addEventListener('click', () => {
        choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
        if (choice === 'system')
            delete root.dataset.theme;
        else
            root.dataset.theme = choice;
        keep(choice);
        setText(button, WORDS[choice]);
    });
}
